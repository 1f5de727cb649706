// Events as entries of an incident's time line.
import type { EngineEvent, IkeEvent } from '#engine';
import { formatEndpoint, formatSpi } from '#sa';
import type { IncidentEntry } from '../api/index.ts';

type Told = Omit<IncidentEntry, 'afterMs' | 'lastAfterMs' | 'count'>;

/** What the event adds; nothing, if it is of no interest to whoever asks how a loss was overcome. */
export function entriesOf(event: EngineEvent): readonly Told[] {
  switch (event.kind) {
    case 'unknown-spi': {
      const { evidence, spi, owner, verdict, outcome } = event;
      const whose = owner === undefined ? undefined : `last of ${owner.connection}/${owner.child}`;
      return [
        {
          kind: 'evidence',
          direction: 'in',
          title: `${evidence.protocol.toUpperCase()} with unknown SPI ${formatSpi(spi)}`,
          ...(whose === undefined ? {} : { detail: whose }),
        },
        { kind: 'verdict', title: verdict.kind, detail: `${verdict.reason}: ${outcome}` },
      ];
    }
    case 'unknown-ike-message':
      // The message itself is told already.
      return [
        { kind: 'verdict', title: event.verdict.kind, detail: `${event.verdict.reason}: ${event.outcome}` },
      ];
    case 'hint': {
      const about = event.spi === undefined ? '' : ` about SPI ${formatSpi(event.spi)}`;
      const how = event.protected ? 'protected' : 'unprotected';
      return [{ kind: 'hint', title: `${event.hint}: ${event.outcome}`, detail: `${how}${about}` }];
    }
    case 'recovery':
      return [{ kind: 'rung', title: `${event.rung}: ${event.step}`, detail: event.detail }];
    case 'connecting': {
      const detail = `try ${event.attempt} to ${formatEndpoint(event.remote)}`;
      return [{ kind: 'change', title: 'connecting', detail }];
    }
    case 'connect-failed':
      return [{ kind: 'change', title: 'not connected', detail: event.detail }];
    case 'resumption-failed':
      return [{ kind: 'change', title: 'not resumed', detail: event.detail }];
    case 'duplicate-ike-sa':
      return [{ kind: 'change', title: 'one IKE SA too many ends', detail: event.reason }];
    case 'checkpoint-adopted':
      return [{ kind: 'change', title: 'IKE SA goes on from the checkpoint' }];
    case 'ike':
      return ikeEntries(event.event);
    default:
      return [];
  }
}

function ikeEntries(event: IkeEvent): readonly Told[] {
  switch (event.kind) {
    case 'ike-established':
      return [{ kind: 'change', title: event.resumed ? 'IKE SA resumed' : 'IKE SA established' }];
    case 'child-established': {
      const { name, inboundSpi, outboundSpi } = event.child;
      const detail = `${name}, SPIs ${formatSpi(inboundSpi)} in, ${formatSpi(outboundSpi)} out`;
      return [{ kind: 'change', title: 'Child SA established', detail }];
    }
    case 'child-rekeyed':
      return [{ kind: 'change', title: 'Child SA replaced', detail: event.child.name }];
    case 'ike-ended':
      return [{ kind: 'change', title: 'IKE SA ended', detail: event.failure.detail }];
    case 'ike-failed':
      return [{ kind: 'change', title: 'IKE SA failed', detail: event.failure.detail }];
    case 'child-failed':
      return [{ kind: 'change', title: 'Child SA failed', detail: event.failure.detail }];
    case 'peer-refused':
      return [{ kind: 'change', title: 'peer refuses', detail: event.failure.detail }];
    case 'liveness-confirmed':
      return [
        { kind: 'change', title: 'peer is alive', detail: `answered after ${event.rttMs.toFixed(1)} ms` },
      ];
    default:
      return [];
  }
}
