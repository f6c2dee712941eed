/** Cuts what comes in pieces into lines; what has no newline at the end is no line. */
export class LineReader {
  readonly #decoder = new TextDecoder();
  readonly #line: (line: string) => void;
  #rest = "";

  /** @param line is called with each line, without its end */
  constructor(line: (line: string) => void) {
    this.#line = line;
  }

  /** Takes the next piece. */
  push(piece: Uint8Array<ArrayBuffer>): void {
    const lines = (this.#rest + this.#decoder.decode(piece, { stream: true })).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) this.#line(line.replace(/\r$/, ""));
  }
}
