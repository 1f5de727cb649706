// The commands of `wayward`: their words, and what each does.
import { Command, CommanderError, Option } from 'commander';
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
import type { ExplainWords } from './explain.ts';
import { addHipCommands } from './hip-commands.ts';
import type { LabRecoveryWords } from './lab-recovery.ts';
import { type ControlOutcome, outcomeOf } from './outcome.ts';
import { statusText } from './status-text.ts';
import { whySubject, whyText } from './why-text.ts';

const out = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
// `wayward explain ... | head` is no mistake of anybody.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});
const err = (line: string): void => {
  process.stderr.write(`wayward: ${line}\n`);
};

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

async function control(ask: () => Promise<ControlOutcome>): Promise<void> {
  try {
    const outcome = await ask();
    for (const line of outcome.lines) (outcome.ok ? out : err)(line);
    if (!outcome.ok) status = ExitStatus.failed;
  } catch (error) {
    if (!(error instanceof ControlSocketError)) throw error;
    err(error.message);
    status = ExitStatus.failed;
  }
}

const program = new Command('wayward')
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
  readonly config: string;
  readonly socket: string;
  readonly vici?: string | false;
  readonly keylog?: string;
  readonly state?: string;
}

const socketOption = ['--socket <path>', 'control socket of the daemon', defaultSocketPath] as const;

const demoSocketOption = [
  '--socket <path>',
  'where `wayward lab crash` reaches the demonstration',
  defaultDemoSocketPath(),
] as const;

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
  .action(async (options: RunWords) => {
    const { vici = defaultViciPath(options.socket) } = options;
    status = await runDaemon(
      {
        configurationPath: options.config,
        socketPath: options.socket,
        statePath: options.state ?? defaultStatePath(options.socket),
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
  .option(...socketOption)
  .action((child: string, options: { socket: string }) =>
    control(async () => outcomeOf(await askDaemon(options.socket, { kind: 'up', child }), `${child} is up`)),
  );

program
  .command('down')
  .description('delete the Child SAs of a name, or else the IKE SAs of a connection')
  .argument('<name>', 'name of a child or connection')
  .option(...socketOption)
  .action((name: string, options: { socket: string }) =>
    control(async () =>
      outcomeOf(await askDaemon(options.socket, { kind: 'down', name }), `${name} is down`),
    ),
  );

program
  .command('rekey')
  .description('replace the keys of a Child SA, or of an IKE SA with --ike')
  .argument('<name>', 'name of a child, or of a connection with --ike')
  .option('--ike', 'rekey the IKE SA of a connection', false)
  .option(...socketOption)
  .action((name: string, options: { socket: string; ike: boolean }) =>
    control(async () =>
      outcomeOf(
        await askDaemon(options.socket, { kind: 'rekey', name, ike: options.ike }),
        `rekeying ${name}`,
      ),
    ),
  );

program
  .command('reload')
  .description('read the configuration again; SAs that stand are kept')
  .option(...socketOption)
  .action((options: { socket: string }) =>
    control(async () => outcomeOf(await askDaemon(options.socket, { kind: 'reload' }), 'reloaded')),
  );

program
  .command('status')
  .description('show IKE SAs, Child SAs, HIP associations, counters and pools')
  .option('--json', 'as one JSON object', false)
  .option(...socketOption)
  .action((options: { socket: string; json: boolean }) =>
    control(async () => {
      const answer = await askDaemon(options.socket, { kind: 'status' });
      if (answer.kind !== 'status') return outcomeOf(answer, '');
      const lines = options.json ? [JSON.stringify(answer.status, undefined, 2)] : statusText(answer.status);
      return { ok: true, lines };
    }),
  );

program
  .command('why')
  .description('tell whose an SPI was, what arrived, what was done and why')
  .argument('<spi|last>', 'an SPI in hexadecimal, or the last incident')
  .option('--json', 'as one JSON object', false)
  .option(...socketOption)
  .action((word: string, options: { socket: string; json: boolean }) =>
    control(async () => {
      const subject = whySubject(word);
      if (subject === undefined)
        return { ok: false, lines: [`${word} is no SPI: 1 to 8 hexadecimal digits`] };
      const answer = await askDaemon(options.socket, { kind: 'why', subject });
      if (answer.kind !== 'why') return outcomeOf(answer, '');
      const lines = options.json ? [JSON.stringify(answer.answer, undefined, 2)] : whyText(answer.answer);
      return { ok: true, lines };
    }),
  );

program
  .command('demo')
  .description(
    'two gateways on loopback with traffic between them, without privileges, until Ctrl-C; k crashes one',
  )
  .option(...demoSocketOption)
  .action(async (options: { socket: string }) => {
    status = await runDemo(out, options.socket);
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

addHipCommands(program, socketOption, control);

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
  .argument('[side]', 'left or right', 'right')
  .option(...demoSocketOption)
  .action((side: string, options: { socket: string }) =>
    control(async () => {
      if (side !== 'left' && side !== 'right')
        return { ok: false, lines: [`${side} is no gateway: left or right`] };
      return outcomeOf(await askDaemon(options.socket, { kind: 'crash', side }), `${side} is killed`);
    }),
  );

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help and version are printed already, and so is what was wrong with the arguments.
  status = error.exitCode === 0 ? ExitStatus.ok : ExitStatus.usage;
}
process.exitCode = status;
