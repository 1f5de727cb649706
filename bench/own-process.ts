// Benchmarks that want a heap of their own run in a process of their own: the file that measures is also what that process runs.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Report } from './report.ts';

/**
 * Runs a benchmark's file, which prints its report as JSON.
 * @param url of the file
 * @param flags of Node
 * @throws Error if the process fails
 */
export async function inOwnProcess(
  url: string,
  flags: readonly string[],
  ...words: readonly string[]
): Promise<Report> {
  const file = fileURLToPath(url);
  const child = spawn(process.execPath, [...flags, file, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`${file} ended with ${status}`);
  return JSON.parse(output) as Report;
}

/** Whether this process was started to run the file. */
export function isOwnProcess(url: string): boolean {
  return process.argv[1] === fileURLToPath(url);
}
