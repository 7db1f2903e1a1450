// Where the reading of a template ends.

/** A template is not Jinja, or deeper than any template is. Never leaves src/scan/inspect/template. */
export class SyntaxFault extends Error {
  /** Position in the source, in UTF-16 units. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}
