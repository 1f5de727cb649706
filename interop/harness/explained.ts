// What `wayward explain` says of a capture, as an operator's program would read it.
import type { ChildSaRow, Finding, FlowRow, IkeSaRow, StoryEvent } from '#explain';
import { waywardCommand } from './paths.ts';
import { runProgram } from './processes.ts';

type Row<Kind extends string, Value> = { readonly kind: Kind; readonly peers: readonly string[] } & Value;
type Line =
  | Row<'event', StoryEvent>
  | Row<'finding', Finding>
  | Row<'ike-sa', IkeSaRow>
  | Row<'child-sa', ChildSaRow>
  | Row<'flow', FlowRow>
  | { readonly kind: 'capture' | 'peers' | 'hip-association' };

/** The lines of `--json`, by their kind. */
export class Explained {
  readonly #lines: readonly Line[];

  private constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  /** @param keyLogPath absent: without keys */
  static async read(capturePath: string, keyLogPath?: string): Promise<Explained> {
    const keys = keyLogPath === undefined ? [] : ['--keys', keyLogPath];
    const command = [process.execPath, waywardCommand, 'explain', capturePath, ...keys, '--json'];
    const output = await runProgram(command);
    const lines = output.split('\n').filter((line) => line !== '');
    return new Explained(lines.map((line) => JSON.parse(line) as Line));
  }

  #rows<Kind extends Line['kind']>(kind: Kind): Extract<Line, { readonly kind: Kind }>[] {
    return this.#lines.filter((line): line is Extract<Line, { readonly kind: Kind }> => line.kind === kind);
  }

  get events(): readonly StoryEvent[] {
    return this.#rows('event');
  }

  get findings(): readonly Finding[] {
    return this.#rows('finding');
  }

  get ikeSas(): readonly IkeSaRow[] {
    return this.#rows('ike-sa');
  }

  get childSas(): readonly ChildSaRow[] {
    return this.#rows('child-sa');
  }

  get flows(): readonly FlowRow[] {
    return this.#rows('flow');
  }

  /** The only finding of a code. @throws Error with all codes if there is none, or more than one */
  finding(code: string): Finding {
    const found = this.findings.filter((one) => one.code === code);
    if (found.length === 1) return found[0]!;
    const all = this.findings.map((one) => `${one.code}: ${one.what}`).join('\n');
    throw new Error(`${found.length} findings ${code} among:\n${all}`);
  }

  /** What an operator would read first: nothing that fails or failed. @throws Error if there is any */
  noProblems(): void {
    const problems = this.findings.filter(({ severity }) => severity === 'problem');
    if (problems.length > 0) {
      throw new Error(
        `problems in a healthy tunnel:\n${problems.map(({ what, why }) => `${what}: ${why}`).join('\n')}`,
      );
    }
  }
}
