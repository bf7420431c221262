/** What the client and the child say to each other: one JSON document a line, requests answered in order. */
import type { CallArgument, Carriers } from '../../trace.ts';

/** The id of the line that the child sends first. */
export const HELLO = -1;

export interface WireCall {
  readonly name: string;
  /** Numbers, `minus-one`, or bytes as base64. */
  readonly args: readonly (number | 'minus-one' | { readonly base64: string })[];
  readonly expect?: number;
}

/** A file write that puts a setting back; carried out by the child when we are gone. */
export interface SettingToPutBack {
  readonly path: string;
  readonly text: string;
}

export type Request =
  | { readonly op: 'stop'; readonly pid: number; readonly startTime: number; readonly deadlineMs: number }
  | { readonly op: 'inject'; readonly pid: number; readonly calls: readonly WireCall[]; readonly deadlineMs: number; readonly carriers?: Carriers }
  | { readonly op: 'peek'; readonly pid: number; readonly address: number; readonly length: number }
  | { readonly op: 'release'; readonly pid: number }
  | { readonly op: 'put-back'; readonly settings: readonly SettingToPutBack[] };

export type Reply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: 'vanished' | 'denied' | 'unreadable'; readonly detail: string };

export interface StopValue {
  readonly threads: readonly number[];
  readonly carrier?: number;
  readonly obstacle?: string;
  /** Why no other thread was better: what becomes of the carrier's own interrupted call. */
  readonly effect?: string;
}

export interface InjectValue {
  readonly ok: boolean;
  readonly definite: boolean;
  readonly milliseconds: number;
  readonly results: readonly number[];
  readonly errno?: string;
  readonly detail?: string;
}

export const toWire = (arg: CallArgument): WireCall['args'][number] =>
  typeof arg === 'object' ? { base64: Buffer.from(arg.bytes).toString('base64') } : arg;
