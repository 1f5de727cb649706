#!/usr/bin/env node
// The `wayward` command.

/** What an operator should read when the library for foreign calls is missing, or has no binary for this machine. */
function explain(error: unknown): never {
  if (!(error instanceof Error) || !/koffi/i.test(error.message)) throw error;
  const [what = ''] = error.message.split('\n');
  process.stderr.write(
    `wayward: koffi cannot be loaded here: ${what} (install wayward anew, without --omit=optional)\n`,
  );
  process.exit(1);
}

const runs = process.argv[2] === 'run';
// Until the daemon listens, which then has not read its configuration either, SIGHUP asks for nothing; it must not end it.
if (runs) process.on('SIGHUP', () => undefined);
const { dismissPacketThreads, warmUpPacketThreads } = await import('#linux/early').catch(explain);
// Loading takes most of a start, and a start is part of every outage: two threads do it side by side.
if (runs && !process.argv.includes('--help')) warmUpPacketThreads();
const { runCommand } = await import('./command.ts').catch(explain);
await runCommand().finally(dismissPacketThreads);
