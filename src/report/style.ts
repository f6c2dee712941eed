/** How a terminal shows emphasis; plain text gets none. */
export interface Style {
  good(text: string): string;
  bad(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
}

const plain = (text: string): string => text;

/** No emphasis: for a pipe, or where NO_COLOR is set. */
export const plainStyle: Style = { good: plain, bad: plain, strong: plain, faint: plain };

const sgr = (code: number) => (text: string): string => `\x1b[${code}m${text}\x1b[0m`;

/** ANSI colours: for a terminal. */
export const colorStyle: Style = { good: sgr(32), bad: sgr(31), strong: sgr(1), faint: sgr(2) };
