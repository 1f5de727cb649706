// A hint about packet filters: whether one drops by default and says nothing of IKE.
import { type Check, check } from './check.ts';
import type { Machine } from './machine.ts';

interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

const remedy =
  'let UDP 500 and 4500 in, and IP protocol 50 if there is no NAT: nft add rule inet filter input udp dport { 500, 4500 } accept';

function legacyTables(machine: Machine): boolean {
  return ['/proc/net/ip_tables_names', '/proc/net/ip6_tables_names'].some((path) => {
    const names = machine.text(path);
    return 'value' in names && names.value.includes('filter');
  });
}

export function checkFirewall(machine: Machine, ports: readonly number[]): Check {
  if (legacyTables(machine)) {
    return check('firewall', 'note', 'iptables filters packets here; its rules are not looked at', remedy);
  }
  // To ask would load it.
  if (!('value' in machine.facts('/proc/sys/net/netfilter')))
    return check('firewall', 'ok', 'no packet filter is loaded');
  if (!machine.hasProgram('nft'))
    return check('firewall', 'unseen', 'there is no nft program to ask for rules');
  const rules = machine.output('nft', ['--json', 'list', 'ruleset']);
  if ('code' in rules)
    return check('firewall', 'unseen', 'nft does not tell its rules', 'look again as root');
  return judge(rules.value, ports);
}

function judge(text: string, ports: readonly number[]): Check {
  let entries: readonly { readonly chain?: Chain; readonly rule?: unknown }[];
  try {
    entries = (JSON.parse(text) as { readonly nftables: typeof entries }).nftables;
  } catch {
    return check('firewall', 'unseen', 'nft tells its rules in a form that is not understood');
  }
  const closed = entries.flatMap(({ chain }) =>
    chain?.hook === 'input' && chain.policy === 'drop' ? [chain] : [],
  );
  if (closed.length === 0) return check('firewall', 'ok', 'no input chain drops by default');
  const said = JSON.stringify(entries.flatMap(({ rule }) => (rule === undefined ? [] : [rule])));
  const unnamed = ports.filter((port) => !new RegExp(`\\b${port}\\b`).test(said));
  const names = closed.map(({ family, table, name }) => `${family} ${table} ${name}`).join(', ');
  return unnamed.length === 0
    ? check(
        'firewall',
        'ok',
        `${names} drops by default, and there are rules about UDP ${ports.join(' and ')}`,
      )
    : check(
        'firewall',
        'note',
        `${names} drops by default, and no rule names UDP ${unnamed.join(' or ')}`,
        remedy,
      );
}
