/** The single acts that a helper child carries out: requests and answers, as they pass between the two processes. */

/** Where to enter a mount namespace: a file of it, and the inode that it must have. */
export interface NamespaceDoor {
  /** Path of the file, one character per byte. */
  readonly file: string;
  readonly id: number;
  /** The namespace in which `file` is a path, where it is not ours. */
  readonly via?: NamespaceDoor;
  /** There is no path; the kernel's own list of namespaces leads to it. */
  readonly listed?: boolean;
}

export type Operation =
  | { readonly do: 'write'; readonly path: string; readonly text: string }
  | { readonly do: 'unmount'; readonly door?: NamespaceDoor; readonly mountPoint: string }
  | { readonly do: 'sync'; readonly door?: NamespaceDoor; readonly mountPoint: string }
  | { readonly do: 'shutdown'; readonly door?: NamespaceDoor; readonly mountPoint: string; readonly flag: number }
  | { readonly do: 'swapoff'; readonly path: string }
  /** Mount tables of the namespaces behind these doors. */
  | { readonly do: 'mountinfo'; readonly doors: readonly NamespaceDoor[] };

export interface Answer {
  readonly ok: boolean;
  readonly errno?: string;
  readonly detail?: string;
  /** For `mountinfo`: latin1 text by namespace id, or an errno after `!`. */
  readonly texts?: Readonly<Record<string, string>>;
  /** The child entered another namespace and cannot be used again. */
  readonly spent?: boolean;
}

/** A mount point and other names that may hold any byte travel as one character per byte. */
export const bytesOf = (name: string): Buffer => Buffer.from(name, 'latin1');
