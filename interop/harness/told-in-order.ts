// Whether `wayward why` retells an incident: what is expected comes in this order, each line with its time.
import assert from 'node:assert/strict';

const line = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) \+(\d+\.\d{3}) s (.*)$/;

/** One line of the story. */
export interface Told {
  /** Wall-clock milliseconds. */
  readonly atMs: number;
  readonly text: string;
}

/**
 * @returns the lines that were expected
 * @throws AssertionError that shows the whole story
 */
export function toldInOrder(story: string, expected: readonly RegExp[]): readonly Told[] {
  const told = story.split('\n').flatMap((text) => {
    const match = line.exec(text);
    if (match === null) return [];
    return [{ atMs: Date.parse(match[1]!), after: Number(match[2]), text: match[3]! }];
  });
  const found: Told[] = [];
  let from = 0;
  for (const pattern of expected) {
    const at = told.findIndex(({ text }, index) => index >= from && pattern.test(text));
    assert.ok(at >= 0, `${pattern} is not told in its place:\n${story}`);
    found.push(told[at]!);
    from = at + 1;
  }
  // Either way of telling the time says the same, and the lines stand in their order.
  for (const [index, { atMs, after }] of told.entries()) {
    assert.ok(Math.abs(atMs - told[0]!.atMs - after * 1000) < 2, story);
    assert.ok(index === 0 || atMs >= told[index - 1]!.atMs, story);
  }
  return found;
}
