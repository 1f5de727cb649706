// Events between the connection that receives them and the loop that reads them.
import { ViciError } from './error.ts';

/** Events that may wait to be read before their reader is given up. */
const waitingMax = 65_536;

/** An async iterator that is fed from outside. Made for one reader. */
export class EventQueue<T, TReturn = undefined> implements AsyncIterableIterator<T, TReturn> {
  readonly #waiting: T[] = [];
  readonly #onReturn: () => Promise<void> | void;
  #reader: PromiseWithResolvers<IteratorResult<T, TReturn>> | undefined;
  #end: { readonly value: TReturn } | { readonly error: Error } | undefined;

  /** @param onReturn when the loop is left before the end */
  constructor(onReturn: () => Promise<void> | void) {
    this.#onReturn = onReturn;
  }

  push(value: T): void {
    if (this.#end !== undefined) return;
    if (this.#reader !== undefined) {
      this.#reader.resolve({ done: false, value });
      this.#reader = undefined;
    } else if (this.#waiting.length < waitingMax) this.#waiting.push(value);
    else this.fail(new ViciError('overflow', `more than ${waitingMax} events waited to be read`));
  }

  finish(value: TReturn): void {
    if (this.#end !== undefined) return;
    this.#end = { value };
    this.#reader?.resolve({ done: true, value });
    this.#reader = undefined;
  }

  fail(error: Error): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#reader?.reject(error);
    this.#reader = undefined;
  }

  next(): Promise<IteratorResult<T, TReturn>> {
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#end !== undefined) {
      return 'error' in this.#end
        ? Promise.reject(this.#end.error)
        : Promise.resolve({ done: true, value: this.#end.value });
    }
    if (this.#reader !== undefined) return Promise.reject(new Error('events have one reader'));
    this.#reader = withResolvers();
    return this.#reader.promise;
  }

  async return(): Promise<IteratorResult<T, TReturn>> {
    this.#waiting.length = 0;
    if (this.#end === undefined) {
      this.#end = { error: new ViciError('closed', 'the reader has left') };
      this.#reader?.reject(this.#end.error);
      this.#reader = undefined;
      await this.#onReturn();
    }
    return { done: true, value: undefined as TReturn };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

// Node 20 has no Promise.withResolvers.
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
