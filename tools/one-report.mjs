// Runs of node:test that go on side by side, told as one: first all of the first, then all of the next.

/** Sums that a run tells of itself at its end. */
const sum = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

/** @param runs what `run()` of node:test returned. What they say before their turn is kept. */
export async function* oneReport(runs) {
  const sums = new Map();
  let testCount = 0;
  for (const run of runs) {
    for await (const { type, data } of run) {
      const outermost = data.nesting === 0;
      const [, name, value] = (outermost && type === 'test:diagnostic' && sum.exec(data.message)) || [];
      if (name !== undefined) {
        // Side by side they last as long as the longest.
        const before = sums.get(name) ?? 0;
        sums.set(name, name === 'duration_ms' ? Math.max(before, Number(value)) : before + Number(value));
      } else if (outermost && (type === 'test:pass' || type === 'test:fail')) {
        yield { type, data: { ...data, testNumber: ++testCount } };
      } else if (!outermost || type !== 'test:plan') yield { type, data };
    }
  }
  yield { type: 'test:plan', data: { nesting: 0, count: testCount } };
  for (const [name, value] of sums)
    yield { type: 'test:diagnostic', data: { nesting: 0, message: `${name} ${value}` } };
}
