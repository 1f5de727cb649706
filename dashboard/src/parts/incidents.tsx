// Incidents: one as a time line between us and the peer, the others as a list to choose from.
import { useEffect, useRef } from 'preact/hooks';
import type { HostSnapshot, Incident, IncidentEntry } from '../../../src/control/api/index.ts';
import { clock, duration, words } from '../format.ts';
import { mostInteresting } from '../incident-choice.ts';
import { Badge, Empty, Panel } from './panel.tsx';

const states: Readonly<Record<Incident['state'], readonly [string, string]>> = {
  open: ['recovering', 'warn'],
  'traffic-back': ['traffic is back', 'good'],
  'sa-stands': ['SA stands again', 'good'],
  'child-replaced': ['Child SA replaced', 'good'],
  'peer-alive': ['nothing was lost', 'info'],
  'given-up': ['given up', 'bad'],
  faded: ['faded away', ''],
};

/** From the cheapest to the most patient: the ladder of recovery. */
const ladder = [
  ['token', 'token'],
  ['restart', 'restart'],
  ['unknown-spi', 'unknown SPI'],
  ['peer', 'peer called'],
  ['silence', 'silence'],
] as const;

function Ladder({ incident }: { incident: Incident }) {
  const climbed = new Set(
    incident.entries.filter(({ kind }) => kind === 'rung').map(({ title }) => title.split(':')[0]),
  );
  return (
    <ol class="ladder" aria-label="Rungs of the recovery ladder">
      {ladder.map(([rung, name]) => {
        const state = incident.rung === rung ? 'at' : climbed.has(rung) ? 'was' : 'not';
        return (
          <li key={rung} class={state}>
            {name}
            <span class="unseen">
              {state === 'at' ? ', at work' : state === 'was' ? ', tried' : ', not needed'}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/** `[ SK ]` says that the payloads are under keys. */
function Title({ title }: { title: string }) {
  const [, name = title, payloads] = /^(.*?) \[ (.*) \]$/.exec(title) ?? [];
  return (
    <>
      {name}
      {payloads !== undefined && <small>{payloads.trim() === 'SK' ? 'protected' : payloads}</small>}
    </>
  );
}

function When({ entry, rttMs }: { entry: IncidentEntry; rttMs: number | undefined }) {
  const { afterMs, count } = entry;
  return (
    <span class="when">
      <b>{afterMs < 0 ? `−${duration(-afterMs)}` : duration(afterMs)}</b>
      {rttMs !== undefined && afterMs > 0 && <small>{(afterMs / rttMs).toFixed(1)} RTT</small>}
      {count > 1 && <small>{count}×</small>}
    </span>
  );
}

function Entry({ entry, rttMs }: { entry: IncidentEntry; rttMs: number | undefined }) {
  const { kind, direction, title, detail } = entry;
  const arrow = direction !== undefined && (kind === 'message' || kind === 'evidence');
  return (
    <li class={arrow ? `entry arrow ${direction} ${kind}` : `entry event ${kind}`}>
      <When entry={entry} rttMs={rttMs} />
      <div class="lane">
        <span class="what">
          {arrow && <span class="unseen">{direction === 'in' ? 'from the peer: ' : 'to the peer: '}</span>}
          {arrow ? <Title title={title} /> : <b>{words(title)}</b>}
          {!arrow && detail !== undefined && <small>{detail}</small>}
          {kind === 'evidence' && detail !== undefined && <small>{detail}</small>}
        </span>
      </div>
    </li>
  );
}

function TimeLine({ incident, many }: { incident: Incident; many: boolean }) {
  const { entries, rttMs, state } = incident;
  const end = useRef<HTMLOListElement>(null);
  const length = entries.length;
  useEffect(() => {
    // What goes on is followed; what is over is read from its beginning.
    const list = end.current;
    if (list !== null) list.scrollTop = state === 'open' ? list.scrollHeight : 0;
  }, [length, state]);
  return (
    <div class="timeline">
      <div class="ends" aria-hidden="true">
        <span>{many ? incident.host : 'this host'}</span>
        <span>{incident.remote ?? 'peer'}</span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys */}
      <ol ref={end} tabIndex={0} aria-label={`Time line of incident ${incident.id}`}>
        {entries.map((entry) => (
          <Entry key={`${entry.afterMs} ${entry.title} ${entry.direction}`} entry={entry} rttMs={rttMs} />
        ))}
      </ol>
    </div>
  );
}

function Facts({ incident }: { incident: Incident }) {
  const { startedAtMs, endedAtMs, rttMs, exchanges } = incident;
  const tookMs = (endedAtMs ?? Date.now()) - startedAtMs;
  return (
    <dl class="facts">
      <div>
        <dt>{endedAtMs === undefined ? 'Running for' : 'Took'}</dt>
        <dd>{duration(tookMs)}</dd>
      </div>
      <div>
        <dt>Round trip</dt>
        <dd>{rttMs === undefined ? 'unknown' : duration(rttMs)}</dd>
      </div>
      <div>
        <dt>Exchanges</dt>
        <dd>{exchanges}</dd>
      </div>
      <div>
        <dt>Began</dt>
        <dd>{clock(startedAtMs)}</dd>
      </div>
    </dl>
  );
}

export function IncidentsPanel(props: {
  hosts: readonly HostSnapshot[];
  incidents: readonly Incident[];
  chosen: string | undefined;
  choose: (id: string | undefined) => void;
}) {
  const { incidents } = props;
  const many = props.hosts.length > 1;
  const shown = incidents.find(({ id }) => id === props.chosen) ?? mostInteresting(incidents);
  if (shown === undefined) {
    return (
      <Panel id="incidents" title="Incidents">
        <Empty>
          Nobody has lost anything. When one end forgets, what happens is told here, message by message, until
          traffic is back.
        </Empty>
      </Panel>
    );
  }
  const [said, tone] = states[shown.state];
  return (
    <Panel
      id="incidents"
      title="Incident"
      note={
        <>
          <b>{shown.connection}</b> {many && `as ${shown.host} saw it `}
          <Badge tone={tone}>{said}</Badge>
        </>
      }
    >
      <Facts incident={shown} />
      <Ladder incident={shown} />
      <TimeLine incident={shown} many={many} />
      {incidents.length > 0 && (
        <ul class="others" aria-label="All incidents">
          {incidents.toReversed().map((one) => (
            <li key={one.id}>
              <button
                type="button"
                aria-current={one.id === shown.id ? 'true' : undefined}
                onClick={() => props.choose(one.id)}
              >
                <span>{clock(one.startedAtMs)}</span>
                <span>
                  {many && `${one.host}: `}
                  {one.connection}
                </span>
                <Badge tone={states[one.state][1]}>{states[one.state][0]}</Badge>
                <span class="number">
                  {one.endedAtMs === undefined ? '' : duration(one.endedAtMs - one.startedAtMs)}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
