// The commands of `wayward`: their words, and what each does.
import { Argument, Command, CommanderError, Option } from 'commander';
import { whySubject, whyText } from '#control';
import {
  askDaemon,
  ControlSocketError,
  defaultConfigurationPath,
  defaultDemoSocketPath,
  defaultSocketPath,
  defaultStatePath,
  defaultViciPath,
  ExitStatus,
  packageVersion,
  runDaemon,
  runDemo,
} from '#daemon';
import { checkConfiguration } from './check-configuration.ts';
import type { ExplainWords } from './explain.ts';
import { addHipCommands } from './hip-commands.ts';
import type { LabRecoveryWords } from './lab-recovery.ts';
import { type ControlOutcome, outcomeOf } from './outcome.ts';
import { showWaiting } from './progress.ts';
import { statusText } from './status-text.ts';
import { watch } from './watch/watch.ts';
import { completionShells } from './words/shell.ts';

const out = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const err = (line: string): void => {
  process.stderr.write(`wayward: ${line}\n`);
};
/** `wayward explain ... | head` is no mistake of anybody; a disk that is full is one. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') {
    err(`the output cannot be written: ${error.message}`);
    process.exitCode = ExitStatus.failed;
  }
  process.exit();
}
process.stdout.on('error', endWithReader);
// Nobody is left to be told; the exit status says it all the same.
process.stderr.on('error', () => undefined);

/** Where a command that takes long says things; progress overwrites itself, if anybody watches. */
function terminal(): {
  out: (line: string) => void;
  err: (line: string) => void;
  progress?: (text: string) => void;
  columns?: number;
} {
  const { columns } = process.stdout;
  return {
    out,
    err,
    ...(process.stderr.isTTY ? { progress: (text) => process.stderr.write(`\r\x1b[K${text}`) } : {}),
    ...(columns === undefined ? {} : { columns }),
  };
}

let status: number = ExitStatus.ok;

interface ControlWords {
  readonly socket: string;
  readonly json?: boolean;
}

/** @param waiting what takes long, for those who watch */
async function control(
  { json = false }: Pick<ControlWords, 'json'>,
  ask: () => Promise<ControlOutcome>,
  waiting?: string,
): Promise<void> {
  const watched = waiting === undefined ? undefined : showWaiting(waiting);
  let outcome: ControlOutcome;
  try {
    outcome = await ask();
  } catch (error) {
    if (!(error instanceof ControlSocketError)) throw error;
    outcome = { ok: false, lines: [error.message] };
  } finally {
    watched?.();
  }
  if (!outcome.ok) status = outcome.usage === true ? ExitStatus.usage : ExitStatus.failed;
  if (json) out(JSON.stringify(outcome.value ?? { ok: outcome.ok, text: outcome.lines.join('; ') }));
  else for (const line of outcome.lines) (outcome.ok ? out : err)(line);
}

/** Help, completion and manual are made of what it says. */
export const program: Command = new Command('wayward')
  .description('IPsec keying for packets that lost their way: an IKEv2 daemon with ESP')
  .version(packageVersion())
  .exitOverride()
  .configureOutput({
    outputError: (text) => {
      const detail = text
        .replace(/^error: /, '')
        .trim()
        .replaceAll(/\s*\n\s*/g, ' ');
      err(`${detail}; wayward --help lists the commands`);
    },
  });

interface RunWords {
  readonly json: boolean;
  readonly config: string;
  readonly socket: string;
  readonly vici?: string | false;
  readonly keylog?: string;
  readonly state?: string;
}

const jsonOption = ['--json', 'as one JSON object', false] as const;

const socketOption = ['--socket <path>', 'control socket of the daemon', defaultSocketPath] as const;

const demoSocketOption = new Option(
  '--socket <path>',
  'where `wayward lab crash` reaches the demonstration',
).default(defaultDemoSocketPath(), 'in a folder of this user in the one for temporary files');

program
  .command('run')
  .description('run the daemon in the foreground until SIGTERM; SIGHUP reloads the configuration')
  .option('--config <file>', 'configuration in swanctl.conf syntax', defaultConfigurationPath)
  .option(...socketOption)
  .option('--keylog <file>', "write keys in tshark's formats to a new file that only its owner can read")
  .option(
    '--vici <path>',
    "socket for swanctl and other vici clients (default: charon's, or beside --socket if that is given)",
  )
  .option('--no-vici', 'serve no vici clients')
  .option(
    '--state <folder>',
    'folder for what must survive a crash (default: /var/lib/wayward, or beside --socket if that is given)',
  )
  .option('--json', 'log each line as a JSON object', false)
  .action(async (options: RunWords) => {
    const { vici = defaultViciPath(options.socket) } = options;
    // What becomes of its log is no matter of life and death.
    process.stdout.off('error', endWithReader);
    status = await runDaemon(
      {
        configurationPath: options.config,
        socketPath: options.socket,
        statePath: options.state ?? defaultStatePath(options.socket),
        ...(options.json ? { logFormat: 'json' } : {}),
        ...(vici === false ? {} : { viciPath: vici }),
        ...(options.keylog === undefined ? {} : { keyLogPath: options.keylog }),
      },
      err,
    );
  });

program
  .command('up')
  .description('bring a Child SA up and wait until it stands')
  .argument('<child>', 'name of a child in the configuration')
  .option(...jsonOption)
  .option(...socketOption)
  .action((child: string, options: ControlWords) =>
    control(
      options,
      async () => outcomeOf(await askDaemon(options.socket, { kind: 'up', child }), `${child} is up`),
      `${child} comes up`,
    ),
  );

program
  .command('down')
  .description('delete the Child SAs of a name, or else the IKE SAs of a connection')
  .argument('<name>', 'name of a child or connection')
  .option(...jsonOption)
  .option(...socketOption)
  .action((name: string, options: ControlWords) =>
    control(
      options,
      async () => outcomeOf(await askDaemon(options.socket, { kind: 'down', name }), `${name} is down`),
      `${name} goes down`,
    ),
  );

program
  .command('rekey')
  .description('replace the keys of a Child SA, or of an IKE SA with --ike')
  .argument('<name>', 'name of a child, or of a connection with --ike')
  .option('--ike', 'rekey the IKE SA of a connection', false)
  .option(...jsonOption)
  .option(...socketOption)
  .action((name: string, options: ControlWords & { ike: boolean }) =>
    control(options, async () =>
      outcomeOf(
        await askDaemon(options.socket, { kind: 'rekey', name, ike: options.ike }),
        `rekeying ${name}`,
      ),
    ),
  );

program
  .command('reload')
  .description('read the configuration again; SAs that stand are kept')
  .option(...jsonOption)
  .option(...socketOption)
  .action((options: ControlWords) =>
    control(options, async () => outcomeOf(await askDaemon(options.socket, { kind: 'reload' }), 'reloaded')),
  );

program
  .command('status')
  .description('show IKE SAs, Child SAs, HIP associations, counters and pools')
  .option(...jsonOption)
  .option(...socketOption)
  .action((options: ControlWords) =>
    control(options, async () => {
      const answer = await askDaemon(options.socket, { kind: 'status' });
      if (answer.kind !== 'status') return outcomeOf(answer, '');
      return { ok: true, lines: statusText(answer.status), value: answer.status };
    }),
  );

program
  .command('why')
  .description('tell whose an SPI was, what arrived, what was done and why')
  .argument('<spi|last>', 'an SPI in hexadecimal, or the last incident')
  .option(...jsonOption)
  .option(...socketOption)
  .action((word: string, options: ControlWords) =>
    control(options, async () => {
      const subject = whySubject(word);
      if (subject === undefined)
        return { ok: false, usage: true, lines: [`${word} is no SPI: 1 to 8 hexadecimal digits, or last`] };
      const answer = await askDaemon(options.socket, { kind: 'why', subject });
      if (answer.kind !== 'why') return outcomeOf(answer, '');
      return { ok: true, lines: whyText(answer.answer), value: answer.answer };
    }),
  );

program
  .command('check')
  .description('say everything that is wrong with a configuration, or without effect; starts nothing')
  .option('--config <file>', 'configuration in swanctl.conf syntax', defaultConfigurationPath)
  .option(...jsonOption)
  .action((options: { config: string; json: boolean }) => {
    const checked = checkConfiguration(options.config);
    if (options.json) out(JSON.stringify(checked.value));
    else for (const line of checked.lines) out(line);
    status = checked.status;
  });

program
  .command('doctor')
  .description('tell what this machine can do and what is in the way; changes nothing')
  .option('--config <file>', 'configuration in swanctl.conf syntax', defaultConfigurationPath)
  .option('--state <folder>', 'folder for what must survive a crash', defaultStatePath(defaultSocketPath))
  .option(...jsonOption)
  .action(async (options: { config: string; state: string; json: boolean }) => {
    const { doctorText, examine, isWell, surroundings } = await import('./doctor/doctor.ts');
    const { thisMachine } = await import('./doctor/machine.ts');
    const checks = examine(thisMachine, surroundings(options.config, options.state));
    const ok = isWell(checks);
    if (options.json) out(JSON.stringify({ ok, checks }));
    else for (const line of doctorText(checks)) out(line);
    if (!ok) status = ExitStatus.failed;
  });

program
  .command('demo')
  .description(
    'two gateways on loopback with traffic between them, without privileges, until Ctrl-C; k crashes one',
  )
  .option('--json', 'each line as a JSON object', false)
  .addOption(demoSocketOption)
  .addOption(new Option('--http [port]', 'serve the page on a port of 127.0.0.1').argParser(Number).preset(0))
  .action(async (options: { socket: string; json: boolean; http?: number }) => {
    const { socket: socketPath, http: httpPort, json } = options;
    if (httpPort !== undefined && !(Number.isInteger(httpPort) && httpPort >= 0 && httpPort <= 65_535)) {
      err('a port is a number up to 65535');
      status = ExitStatus.usage;
      return;
    }
    const say = json ? (text: string) => out(JSON.stringify({ text })) : out;
    status = await runDemo(say, { socketPath, ...(httpPort === undefined ? {} : { httpPort }) });
  });

program
  .command('explain')
  .description(
    'tell the story of a capture of IKEv2, ESP, AH or HIP: what happened, what stands out, what to do',
  )
  .argument('<file>', 'pcap or pcapng, also compressed by gzip; - is standard input')
  .option('--keys <file>', "keys in tshark's formats, as of `wayward run --keylog`: decrypt and verify")
  .option('--json', 'one JSON object a line', false)
  .option('--html <file>', 'also write one page that needs nothing else')
  .action(async (file: string, options: Omit<ExplainWords, 'file'>) => {
    // What reads captures is no part of a daemon's start.
    const { explain } = await import('./explain.ts');
    const explained = await explain({ file, ...options }, terminal());
    status = explained ? ExitStatus.ok : ExitStatus.failed;
  });

program
  .command('watch')
  .description('watch tunnels, incidents and unknown SPIs live, until q')
  .option('--once', 'one picture, and no more; so it is, too, where there is no terminal', false)
  .option(...socketOption)
  .action(async ({ socket: socketPath, once }: { socket: string; once: boolean }) => {
    status = await watch({ socketPath, once, err });
  });

program
  .command('page')
  .description('tell where the web page is, with the token that opens it')
  .option(...jsonOption)
  .option(...socketOption)
  .action((options: ControlWords) =>
    control(options, async () => {
      const answer = await askDaemon(options.socket, { kind: 'page' });
      if (answer.kind !== 'page') return outcomeOf(answer, '');
      return { ok: true, lines: [answer.url], value: { url: answer.url } };
    }),
  );

addHipCommands(program, socketOption, (ask, words) => control(words, ask));

const lab = program.command('lab').description('experiments with lost state');

lab
  .command('recovery')
  .description(
    'how tunnels come back after one end lost its state, on a virtual internet, incident by incident',
  )
  .option('--seeds <count>', 'runs of each cell', '20')
  .option('--json', 'as one JSON object', false)
  .option('--scenario <name...>', 'only these incidents')
  .option('--policy <name...>', 'only hosts equipped like this')
  .addOption(
    new Option('--write [file]', 'also write the document about it, and its picture beside it').conflicts([
      'scenario',
      'policy',
    ]),
  )
  .action(async ({ write, ...words }: Omit<LabRecoveryWords, 'write'> & { write?: string | true }) => {
    // The lab is no part of a daemon's start.
    const { labRecovery } = await import('./lab-recovery.ts');
    const held = await labRecovery(
      { ...words, ...(write === undefined ? {} : { write: write === true ? 'docs/recovery.md' : write }) },
      terminal(),
    );
    status = held === undefined ? ExitStatus.usage : held ? ExitStatus.ok : ExitStatus.failed;
  });

lab
  .command('crash')
  .description('kill a gateway of a running demonstration (npm start) with SIGKILL; it starts again')
  .addArgument(new Argument('[side]', 'the gateway').choices(['left', 'right']).default('right'))
  .option(...jsonOption)
  .addOption(demoSocketOption)
  .action((side: 'left' | 'right', options: ControlWords) =>
    control(options, async () =>
      outcomeOf(await askDaemon(options.socket, { kind: 'crash', side }), `${side} is killed`),
    ),
  );

const completion = program.command('completion').description('complete words in a shell');

for (const shell of completionShells) {
  completion
    .command(shell)
    .description(`print the completion for ${shell}`)
    .action(async () => {
      const { completionFor } = await import('./words/completion.ts');
      process.stdout.write(completionFor(shell, program));
    });
}

completion
  .command('names', { hidden: true })
  .addArgument(new Argument('<kind>').choices(['child', 'connection']))
  .option('--config <file>', 'configuration in swanctl.conf syntax', defaultConfigurationPath)
  .action(async (kind: 'child' | 'connection', options: { config: string }) => {
    const { configuredNames } = await import('./words/names.ts');
    for (const name of configuredNames(kind, options.config)) out(name);
  });

/** Does what the words of this process say; its exit status follows. */
export async function runCommand(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version are printed already, and so is what was wrong with the arguments.
    status = error.exitCode === 0 ? ExitStatus.ok : ExitStatus.usage;
  }
  process.exitCode = status;
}
