// How much strangers could still make this host do.
import type { Budget, HostSnapshot } from '../../../src/control/api/index.ts';
import { count, octets, words } from '../format.ts';
import { Panel } from './panel.tsx';

const names: Readonly<Record<Budget['name'], string>> = {
  'replies-strangers': 'Replies to strangers',
  'replies-known': 'Replies to known peers',
  'half-open': 'Half-open IKE SAs',
  'spi-history': 'SPI history',
};

function Meter({ label, used, limit, said }: { label: string; used: number; limit: number; said: string }) {
  const share = limit === 0 ? 0 : Math.min(1, used / limit);
  return (
    <li>
      <span>{label}</span>
      <span class="number">{said}</span>
      <meter class="unseen" aria-label={`${label}: ${said}`} max={limit} value={Math.min(used, limit)}>
        {said}
      </meter>
      <div class={`meter ${share > 0.8 ? 'bad' : share > 0.5 ? 'warn' : ''}`} aria-hidden="true">
        {used > 0 && <i style={{ width: `${(share * 100).toFixed(1)}%` }} />}
      </div>
    </li>
  );
}

function HostBudgets({ host, many }: { host: HostSnapshot; many: boolean }) {
  const { replies } = host;
  const refused = Object.entries(replies.refused).filter(([, times]) => times > 0);
  return (
    <div class="budgets">
      {many && <h3>{host.name}</h3>}
      <ul>
        {host.budgets.map(({ name, used, limit }) => (
          <Meter
            key={name}
            label={names[name]}
            used={used}
            limit={limit}
            said={`${count(Math.round(used))} of ${count(limit)}`}
          />
        ))}
        <Meter
          label="Unauthenticated octets answered"
          used={replies.sentBytes}
          limit={Math.max(1, replies.receivedBytes)}
          said={`${octets(replies.sentBytes)} for ${octets(replies.receivedBytes)}`}
        />
      </ul>
      <p class="note">
        Policy <b>{host.policy}</b>
        {refused.length > 0 &&
          `; held back: ${refused.map(([why, times]) => `${count(times)} by ${words(why)}`).join(', ')}`}
      </p>
    </div>
  );
}

export function BudgetsPanel({ hosts }: { hosts: readonly HostSnapshot[] }) {
  return (
    <Panel id="budgets" title="Budgets">
      <div class="budget-hosts">
        {hosts.map((host) => (
          <HostBudgets key={host.name} host={host} many={hosts.length > 1} />
        ))}
      </div>
    </Panel>
  );
}
