/**
 * Interned text: heap words hold a number, this table holds what it says. A number never changes its text, so the table
 * is no part of the simulated state. 0 is the empty string.
 */
export class Names {
  private readonly texts: string[] = [''];
  private readonly numbers = new Map<string, number>([['', 0]]);

  of(text: string): number {
    let number = this.numbers.get(text);
    if (number === undefined) {
      number = this.texts.length;
      this.texts.push(text);
      this.numbers.set(text, number);
    }
    return number;
  }

  text(number: number): string {
    return this.texts[number] ?? '';
  }
}
