#!/usr/bin/env node
// The `wayward` command.
import { warmUpPacketThread } from '#linux/early';

// Loading takes most of a start, and a start is part of every outage: two threads do it side by side.
if (process.argv[2] === 'run' && !process.argv.includes('--help')) warmUpPacketThread();
const { runCommand } = await import('./command.ts');
await runCommand();
