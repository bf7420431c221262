/** Successors by value: `child(node, value)`. Numbers are the owner's own; 0 stands for none, node 0 has no children. */
const NEAR = 8;

export class Children {
  /** By the values 0 to 7, the usual ones: eight words a node. */
  private near = new Int32Array(NEAR << 6);
  /** The others. Open addressing: node, value, child in three words; node 0 is free. */
  private table = new Int32Array(3 << 8);
  private mask = (1 << 8) - 1;
  private used = 0;

  child(node: number, value: number): number {
    if (value >>> 0 < NEAR) return (this.near[node * NEAR + value] as number) | 0;
    return this.farChild(node, value);
  }

  set(node: number, value: number, child: number): void {
    if (value >>> 0 < NEAR) {
      if ((node + 1) * NEAR > this.near.length) this.near = enlarged(this.near, Math.max(this.near.length * 2, (node + 1) * NEAR));
      this.near[node * NEAR + value] = child;
      return;
    }
    if (this.used * 2 > this.mask) this.rehash();
    this.table.set([node, value, child], this.freeSlot(node, value) * 3);
    this.used += 1;
  }

  /** Forgets the children of nodes below `nodes`, which are all that have any. */
  clear(nodes: number): void {
    this.near.fill(0, 0, nodes * NEAR);
    if (this.used > 0) this.table.fill(0);
    this.used = 0;
  }

  private farChild(node: number, value: number): number {
    const { table, mask } = this;
    let slot = slotOf(node, value) & mask;
    for (;;) {
      const at = slot * 3;
      const owner = table[at];
      if (owner === 0) return 0;
      if (owner === node && table[at + 1] === value) return table[at + 2] as number;
      slot = (slot + 1) & mask;
    }
  }

  private freeSlot(node: number, value: number): number {
    let slot = slotOf(node, value) & this.mask;
    while (this.table[slot * 3] !== 0) slot = (slot + 1) & this.mask;
    return slot;
  }

  private rehash(): void {
    const old = this.table;
    this.mask = this.mask * 2 + 1;
    this.table = new Int32Array((this.mask + 1) * 3);
    for (let at = 0; at < old.length; at += 3) {
      if (old[at] !== 0) this.table.set(old.subarray(at, at + 3), this.freeSlot(old[at] as number, old[at + 1] as number) * 3);
    }
  }
}

function slotOf(node: number, value: number): number {
  const hash = (Math.imul(node, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b)) >>> 0;
  return hash ^ (hash >>> 15);
}

function enlarged(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(length);
  bigger.set(array);
  return bigger;
}
