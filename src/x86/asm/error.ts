/**
 * What is wrong with an assembly source, and where.
 */
export class AssemblyError extends Error {
  /** 1-based line of the culprit in the source. */
  readonly line: number;
  /** 1-based column of the culprit token in that line. */
  readonly column: number;
  /** What is wrong, without the position. */
  readonly reason: string;

  /** `sourceLine` is the text of the line, shown with a caret under the column. */
  constructor(reason: string, line: number, column: number, sourceLine: string) {
    // Tabs are kept in front of the caret so that it stays under the culprit.
    const margin = sourceLine.slice(0, column - 1).replace(/[^\t]/g, " ");
    super(`line ${line}, column ${column}: ${reason}\n  ${sourceLine}\n  ${margin}^`);
    this.name = "AssemblyError";
    this.line = line;
    this.column = column;
    this.reason = reason;
  }
}

/** The encoder library could not be loaded, so nothing can be assembled or disassembled. */
export class AssemblerUnavailableError extends Error {
  /** `cause` is what the import of the encoder library failed with. */
  constructor(cause: unknown) {
    super(
      "the x86 encoder (npm:iced-x86) could not be loaded; it reads its WebAssembly file when it " +
        "is imported, so run Deno with --allow-read (and with the package in its cache): " +
        (cause instanceof Error ? cause.message : String(cause)),
      { cause },
    );
    this.name = "AssemblerUnavailableError";
  }
}

/** A fault found before its line is known; the assembler adds the line. */
export class SourceFault extends Error {
  /** `column` is 1-based. */
  constructor(readonly reason: string, readonly column: number) {
    super(reason);
    this.name = "SourceFault";
  }
}
