// Packets and messages that belong to no SA: what was decided, and whose the SPI was.
import { useState } from 'preact/hooks';
import type { HostSnapshot, UnknownSpi } from '../../../src/control/api/index.ts';
import { clock, count, words } from '../format.ts';
import { Badge, Empty, Panel } from './panel.tsx';

function tone(outcome: string): string {
  if (outcome.startsWith('sent')) return 'good';
  return outcome === 'nothing-to-send' || outcome === 'folded' ? '' : 'warn';
}

const rowsShown = 8;

function Whose({ row, many }: { row: UnknownSpi; many: boolean }) {
  const { owner } = row;
  if (owner === undefined) {
    const nobody = row.protocol === 'ike' ? 'no IKE SA' : 'never ours';
    return <span class="muted">{row.reason === 'ours' ? 'ours, just coming up' : nobody}</span>;
  }
  const ended = owner.ended === undefined ? '' : `, ended: ${words(owner.ended.why)}`;
  return (
    <>
      <b>
        {many && <span class="of">{row.host} </span>}
        {owner.connection === owner.child ? owner.child : `${owner.connection}/${owner.child}`}
      </b>
      <small>
        {owner.remoteIdentity}
        {ended}
      </small>
    </>
  );
}

export function UnknownSpisPanel(props: {
  hosts: readonly HostSnapshot[];
  rows: readonly UnknownSpi[];
  why: (host: string, spi: string) => Promise<readonly string[]>;
  showIncident: (id: string) => void;
}) {
  const [asked, setAsked] = useState<{ id: string; lines: readonly string[] } | undefined>(undefined);
  const [all, setAll] = useState(false);
  const many = props.hosts.length > 1;
  const ask = async (row: UnknownSpi): Promise<void> => {
    if (asked?.id === row.id) {
      setAsked(undefined);
      return;
    }
    setAsked({ id: row.id, lines: ['…'] });
    try {
      setAsked({ id: row.id, lines: await props.why(row.host, row.spi) });
    } catch {
      setAsked({ id: row.id, lines: ['the daemon does not answer'] });
    }
  };
  const shown = all ? props.rows : props.rows.slice(0, rowsShown);
  return (
    <Panel id="unknown-spis" title="Unknown SPIs">
      {props.rows.length === 0 ? (
        <Empty>Every packet lately belonged to an SA.</Empty>
      ) : (
        <table class="stacking">
          <thead>
            <tr>
              <th scope="col">Packet</th>
              <th scope="col">Whose was it</th>
              <th scope="col">Verdict</th>
              <th scope="col">Done</th>
              <th scope="col">
                <span class="unseen">More</span>
              </th>
            </tr>
          </thead>
          {shown.map((row) => (
            <tbody key={row.id}>
              <tr>
                <th scope="row">
                  <b>
                    {row.protocol.toUpperCase()}{' '}
                    <code>{row.spi.length > 8 ? `${row.spi.slice(0, 8)}…` : row.spi}</code>
                  </b>
                  <small>
                    {clock(row.lastAtMs)} from {row.remote}
                    {row.count > 1 && `, ${count(row.count)} times`}
                  </small>
                </th>
                <td data-label="Whose was it">
                  <Whose row={row} many={many} />
                </td>
                <td data-label="Verdict">
                  <b>{words(row.verdict)}</b>
                  <small>{words(row.reason)}</small>
                </td>
                <td data-label="Done">
                  <Badge tone={tone(row.outcome)}>{words(row.outcome)}</Badge>
                </td>
                <td class="actions">
                  {row.incident !== undefined && (
                    <button type="button" class="link" onClick={() => props.showIncident(row.incident ?? '')}>
                      incident<span class="unseen"> {row.incident}</span>
                    </button>
                  )}
                  {row.protocol !== 'ike' && (
                    <button
                      type="button"
                      class="link"
                      aria-expanded={asked?.id === row.id}
                      onClick={() => void ask(row)}
                    >
                      why<span class="unseen"> SPI {row.spi}</span>
                    </button>
                  )}
                </td>
              </tr>
              {asked?.id === row.id && (
                <tr class="story">
                  <td colSpan={5}>
                    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys */}
                    <pre tabIndex={0}>{asked.lines.join('\n')}</pre>
                  </td>
                </tr>
              )}
            </tbody>
          ))}
        </table>
      )}
      {props.rows.length > rowsShown && (
        <button type="button" class="link more" onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${props.rows.length}`}
        </button>
      )}
    </Panel>
  );
}
