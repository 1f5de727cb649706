// Who is at the other end, and how soon a loss at either end would be found out.
import type { Capability, HostSnapshot, Peer } from '../../../src/control/api/index.ts';
import { age, duration, words } from '../format.ts';
import { Badge, Empty, Panel } from './panel.tsx';

const meanings: Readonly<Record<Capability['name'], readonly [string, string]>> = {
  'token-held': [
    'its token',
    'The peer gave us a token: a crash of its own is proven in one round trip (RFC 6290)',
  ],
  'token-given': ['our token', 'The peer has a token of ours: we can prove that we crashed (RFC 6290)'],
  'ticket-held': ['its ticket', 'We can resume with the ticket that the peer gave us (RFC 5723)'],
  'ticket-given': ['our ticket', 'The peer can resume with a ticket of ours (RFC 5723)'],
  'message-id-sync': ['ID sync', 'Message IDs can be synchronised after a restart (RFC 6311)'],
  fragmentation: ['fragments', 'Large IKE messages may be cut (RFC 7383)'],
};

/** In one sentence, the best that this peer allows. */
function prospect({ capabilities }: Peer): string {
  const has = (name: Capability['name']): boolean => capabilities.some((one) => one.name === name && one.has);
  if (has('token-held'))
    return has('ticket-held') ? 'A crash of it is proven, then resumed' : 'A crash of it is proven';
  return 'A crash of it is found by its silence';
}

/** Whether it may be elsewhere tomorrow, and where it was (RFC 4555). */
function Moves({ peer: { mobility, lastMove, local } }: { peer: Peer }) {
  if (mobility === undefined && lastMove === undefined) return null;
  return (
    <small>
      {mobility !== undefined && (
        <>
          {mobility.weDecide ? 'We' : 'The peer'} may move (MOBIKE)
          {mobility.furtherAddresses.length > 0 &&
            `, ${mobility.weDecide ? 'the peer' : 'and'} can also be at ${mobility.furtherAddresses.join(' ')}`}
          . {mobility.tunnelsTo !== undefined && `Tunnels lead to ${mobility.tunnelsTo} until it answers. `}
        </>
      )}
      {lastMove !== undefined &&
        `${lastMove.by === 'us' ? 'We' : 'It'} moved ${age(lastMove.msAgo)} ago from ${
          lastMove.by === 'us' && lastMove.fromLocal !== local ? lastMove.fromLocal : lastMove.fromRemote
        }.`}
    </small>
  );
}

function PeerCard({ host, peer, many }: { host: HostSnapshot; peer: Peer; many: boolean }) {
  const up = peer.phase === 'established' || peer.phase === 'rekeying';
  return (
    <li class={host.state === 'down' ? 'peer gone' : 'peer'}>
      <div class="peer-title">
        <b>
          {many && <span class="of">{host.name} → </span>}
          {peer.identity ?? peer.remote}
        </b>
        {host.state === 'down' ? (
          <Badge tone="bad">{host.name} is down</Badge>
        ) : (
          <Badge tone={up ? 'good' : 'warn'}>{peer.phase}</Badge>
        )}
      </div>
      <small>
        {peer.remote}
        {peer.nat && ', ESP in UDP'}
        {peer.rttMs !== undefined && `, RTT ${duration(peer.rttMs)}`}
        {peer.establishedMsAgo !== undefined && `, for ${age(peer.establishedMsAgo)}`}
      </small>
      <Moves peer={peer} />
      <ul class="abilities" aria-label="Capabilities">
        {peer.capabilities.map(({ name, has }) => (
          <li key={name} class={has ? 'has' : 'lacks'} title={meanings[name][1]}>
            <span aria-hidden="true">{has ? '✓' : '–'}</span> {meanings[name][0]}
            {!has && <span class="unseen"> missing</span>}
          </li>
        ))}
      </ul>
      <small class="prospect">
        {prospect(peer)}
        {peer.suite !== undefined && <code>{words(peer.suite)}</code>}
      </small>
    </li>
  );
}

const peersShown = 12;

export function PeersPanel({ hosts }: { hosts: readonly HostSnapshot[] }) {
  const peers = hosts.flatMap((host) => host.peers.map((peer) => ({ host, peer })));
  const all = hosts.reduce((sum, { peerCount }) => sum + peerCount, 0);
  return (
    <Panel id="peers" title="Peers" note={all > peersShown ? `${peersShown} of ${all}` : undefined}>
      {peers.length === 0 ? (
        <Empty>No IKE SA stands with anybody.</Empty>
      ) : (
        <ul class="peers">
          {peers.slice(0, peersShown).map(({ host, peer }) => (
            <PeerCard key={`${host.name} ${peer.ikeId}`} host={host} peer={peer} many={hosts.length > 1} />
          ))}
        </ul>
      )}
    </Panel>
  );
}
