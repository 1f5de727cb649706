// What is wrong with a HIP packet of nobody in particular: an ICMP Parameter Problem, within the budgets (RFC 7401 5.4).
import { type HipOutput, type HipPath, peersOf } from '#hip';
import { addressBytes, isIpv6 } from '#sa';
import { ipOverheadBytes, parameterProblem, unanswerableAddresses } from '#unknown-spi';
import { addNonEspMarker, encodeIp, encodeUdp, IpProtocol } from '#wire';
import type { EngineState } from '../engine-state.ts';
import type { ReplyOutcome } from '../interface.ts';
import { policyFor } from './recovery-state.ts';

type Problem = Extract<HipOutput, { kind: 'parameter-problem' }>;

/** Whoever answers unknown SPIs answers these, as often and with no more octets than came. */
export function answerHipProblem(state: EngineState, { path, pointer, octets }: Problem): ReplyOutcome {
  const { local, remote } = path;
  const { recovery } = state;
  const packet = refusedPacket(path, octets);
  recovery.budget.received(remote.address, packet.length);
  const policy = policyFor(state.unknownSpi, undefined);
  const ends = { udp: remote.port !== 0, destinationIsOurs: true };
  const silent = policy.notifyUnprotected === 'nobody' || !state.ready;
  if (silent || unanswerableAddresses(remote, local, ends) !== undefined) return 'nothing-to-send';
  const overheadBytes = ipOverheadBytes(remote.address, false);
  const message = parameterProblem(
    packet,
    packet.length - octets.length + pointer,
    { from: local.address, to: remote.address },
    packet.length - overheadBytes,
  );
  if (message === undefined) return 'nothing-to-send';
  const { hip } = state;
  const refusal = recovery.budget.spend(
    {
      destination: remote.address,
      ipBytes: message.length + overheadBytes,
      policy,
      known: hip !== undefined && peersOf(hip.configuration).hasAddress(remote.address),
      rebootAware: recovery.rebootAware(state.at, state.unknownSpi),
    },
    state.at,
  );
  if (refusal !== undefined) return refusal;
  state.outputs.push({ kind: 'icmp', local: local.address, remote: remote.address, octets: message });
  return 'sent';
}

/** As it came, but for what else stood in its IP header, which is not known any more. */
function refusedPacket({ local, remote }: HipPath, octets: Uint8Array): Uint8Array {
  const source = addressBytes(remote.address);
  const destination = addressBytes(local.address);
  const inUdp = remote.port !== 0;
  const payload = inUdp
    ? encodeUdp(
        {
          sourcePort: remote.port,
          destinationPort: local.port,
          payload: addNonEspMarker(octets),
          checksummed: true,
        },
        { source, destination },
      )
    : octets;
  const common = { dscp: 0, ecn: 0, source, destination, payload };
  const protocol = inUdp ? IpProtocol.UDP : IpProtocol.HIP;
  return isIpv6(remote.address)
    ? encodeIp({ version: 6, ...common, protocol, flowLabel: 0, hopLimit: 64, extensions: [] })
    : encodeIp({
        version: 4,
        ...common,
        protocol,
        timeToLive: 64,
        identification: 0,
        dontFragment: false,
        moreFragments: false,
        fragmentOffset: 0,
        options: new Uint8Array(0),
      });
}
