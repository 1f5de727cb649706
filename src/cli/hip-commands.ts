// The words of `wayward hip`: keys and identities without a daemon, associations with one.
import { type Command, Option } from 'commander';
import { askDaemon, defaultConfigurationPath, type HipAction } from '#daemon';
import type { HipKeyType } from './hip.ts';
import { type ControlOutcome, outcomeOf } from './outcome.ts';

const actions: Readonly<Record<HipAction, { readonly what: string; readonly done: string }>> = {
  up: { what: 'call a peer and wait until the association stands', done: 'stands' },
  down: { what: 'close the association with a peer', done: 'is closed' },
  rekey: { what: 'replace the keys of the ESP SAs with a peer', done: 'is rekeyed' },
  check: { what: 'ask a peer whether it still knows the association', done: 'is asked; see status' },
};

export function addHipCommands(
  program: Command,
  socketOption: readonly [string, string, string],
  report: (ask: () => Promise<ControlOutcome>, words: { readonly json: boolean }) => Promise<void>,
): void {
  const hip = program.command('hip').description('Host Identities, and associations of HIP');
  const configOption = ['--config <file>', 'configuration to read', defaultConfigurationPath] as const;

  hip
    .command('keygen')
    .description('make the key of a Host Identity in a new file, and print its HIT')
    .argument('<file>', 'PEM file that is not there yet')
    .addOption(new Option('--type <type>', 'kind of key').choices(['p256', 'p384', 'rsa']).default('p256'))
    .option('--json', 'as one JSON object', false)
    .action((file: string, words: { type: HipKeyType; json: boolean }) =>
      report(async () => (await import('./hip.ts')).hipKeygen(file, words.type), words),
    );

  hip
    .command('identity')
    .description('show HIT, Host Identity and DNS record (RFC 8005) of a key, or of a configuration')
    .argument('[key]', 'file with a private key; without it, the identities of the configuration')
    .option('--owner <name>', 'domain name that the record is for')
    .option('--json', 'as JSON', false)
    .option(...configOption)
    .action((key: string | undefined, words: { owner?: string; json: boolean; config: string }) =>
      report(async () => {
        const { hipIdentity } = await import('./hip.ts');
        const source = key === undefined ? { configuration: words.config } : { key };
        return hipIdentity(source, words.owner);
      }, words),
    );

  hip
    .command('hosts')
    .description('check a hosts file, or the peers of a configuration, and list them')
    .argument('[file]', 'hosts file; without it, the configuration with the hosts file that it names')
    .option('--json', 'as JSON', false)
    .option(...configOption)
    .action((file: string | undefined, words: { json: boolean; config: string }) =>
      report(async () => {
        const { hipHosts } = await import('./hip.ts');
        return hipHosts(file === undefined ? { configuration: words.config } : { hosts: file });
      }, words),
    );

  for (const [action, { what, done }] of Object.entries(actions) as [
    HipAction,
    { what: string; done: string },
  ][]) {
    hip
      .command(action)
      .description(what)
      .argument('<peer>', 'name of a peer in the configuration, or a HIT')
      .option('--json', 'as one JSON object', false)
      .option(...socketOption)
      .action((peer: string, words: { socket: string; json: boolean }) =>
        report(
          async () =>
            outcomeOf(
              await askDaemon(words.socket, { kind: 'hip', action, peer }),
              `the association with ${peer} ${done}`,
            ),
          words,
        ),
      );
  }
}
