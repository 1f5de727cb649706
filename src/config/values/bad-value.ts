// How a value parser says no.

/** The value is not what the option accepts. `accepts` completes the sentence "expected ...". */
export class BadValue extends Error {
  constructor(accepts: string) {
    super(accepts);
    this.name = 'BadValue';
  }
}

/** The value is known, and wayward does not do it. The message is a whole clause. */
export class UnsupportedValue extends Error {
  constructor(clause: string) {
    super(clause);
    this.name = 'UnsupportedValue';
  }
}
