// For those who watch a terminal: that something takes long is not that nothing happens.

const stepMs = 1_000;

/** Tells every second on a terminal what is waited for. Call what it returns when that is over. */
export function showWaiting(what: string): () => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => undefined;
  const startedAt = performance.now();
  let shown = false;
  const timer = setInterval(() => {
    const seconds = Math.floor((performance.now() - startedAt) / 1000);
    shown = true;
    stderr.write(`\r\x1b[K${what}, ${seconds} s`);
  }, stepMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (shown) stderr.write('\r\x1b[K');
  };
}
