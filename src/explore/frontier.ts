/** States that wait to be expanded, as rows one after the other: slot, hash halves, width, then the row. First in, first out. */
const HEAD = 4;

export class Frontier {
  private data = new Int32Array(1 << 16);
  private end = 0;
  private begin = 0;
  count = 0;

  push(slot: number, low: number, high: number, row: Int32Array, width: number): void {
    const needed = this.end + HEAD + width;
    if (needed > this.data.length) {
      const bigger = new Int32Array(Math.max(needed, this.data.length * 2));
      bigger.set(this.data.subarray(0, this.end));
      this.data = bigger;
    }
    const { data, end } = this;
    data[end] = slot;
    data[end + 1] = low;
    data[end + 2] = high;
    data[end + 3] = width;
    for (let i = 0; i < width; i += 1) data[end + HEAD + i] = row[i] as number;
    this.end = needed;
    this.count += 1;
  }

  /** Hands the oldest state to `take` and returns its slot. */
  shift(take: (data: Int32Array, offset: number, width: number, low: number, high: number) => void): number {
    const { data, begin } = this;
    const width = data[begin + 3] as number;
    take(data, begin + HEAD, width, data[begin + 1] as number, data[begin + 2] as number);
    this.begin = begin + HEAD + width;
    this.count -= 1;
    return data[begin] as number;
  }

  clear(): void {
    this.begin = 0;
    this.end = 0;
    this.count = 0;
  }

  renameSlots(moved: Int32Array): void {
    for (let at = this.begin; at < this.end; at += HEAD + (this.data[at + 3] as number)) this.data[at] = moved[this.data[at] as number] as number;
  }
}
