// Whether `wayward why` retells an incident: what is expected comes in this order, each line with its time.
import assert from 'node:assert/strict';

const line = /^\d{4}-\d\d-\d\dT[\d:.]+Z \+(\d+\.\d{3}) s (.*)$/;

/** @throws AssertionError that shows the whole story */
export function toldInOrder(story: string, expected: readonly RegExp[]): void {
  const told = story.split('\n').flatMap((text) => {
    const match = line.exec(text);
    return match === null ? [] : [{ after: Number(match[1]), text: match[2]! }];
  });
  let from = 0;
  for (const pattern of expected) {
    const at = told.findIndex(({ text }, index) => index >= from && pattern.test(text));
    assert.ok(at >= 0, `${pattern} is not told in its place:\n${story}`);
    from = at + 1;
  }
  const times = told.map(({ after }) => after);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
    story,
  );
}
