declare module 'seek-bzip' {
  interface ByteSource {
    /** The next byte; must throw at the end, where the library itself would read zeros for ever. */
    readByte(): number;
    read(into: Uint8Array, offset: number, length: number): number;
    eof(): boolean;
  }
  const Bunzip: { decode(input: ByteSource, output: { writeByte(byte: number): void }, multistream: boolean): void };
  export default Bunzip;
}
