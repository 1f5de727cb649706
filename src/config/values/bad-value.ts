// How a value parser says no.

/** The value is not what the option accepts. `accepts` completes the sentence "expected ...". */
export class BadValue extends Error {
  /** Which item of a list is meant, if it is one of several. */
  readonly item: string | undefined;

  constructor(accepts: string, item?: string) {
    super(accepts);
    this.name = 'BadValue';
    this.item = item;
  }
}

/** The value is known, and wayward does not do it. The message is a whole clause. */
export class UnsupportedValue extends Error {
  constructor(clause: string) {
    super(clause);
    this.name = 'UnsupportedValue';
  }
}
