// Session resumption: of one connection, and of the tickets of the whole host (RFC 5723).
import type { ConnectionConfiguration, TicketConfiguration } from '#engine';
import type { Findings } from '../error.ts';
import type { Settings } from '../options/check.ts';
import type { BuildContext } from './context.ts';

const hourMs = 3_600_000;

export function buildResumption(
  settings: Settings,
  context: BuildContext,
): Pick<ConnectionConfiguration, 'resumption'> {
  const ticketLifetimeMs = settings.required('ticket_lifetime', 'duration');
  if (ticketLifetimeMs < 1_000 || ticketLifetimeMs > 24 * hourMs) {
    context.findings.error(
      'conflict',
      settings.position('ticket_lifetime'),
      'ticket_lifetime must be from 1s to 24h (resumption = no turns tickets off)',
    );
  }
  const freshKeyExchange = settings.required('resumption_rekey', 'boolean');
  if (!settings.required('resumption', 'boolean')) return {};
  return { resumption: { ticketLifetimeMs, freshKeyExchange } };
}

export function buildTickets(settings: Settings, findings: Findings): TicketConfiguration {
  const keyLifetimeMs = settings.required('ticket_key_lifetime', 'duration');
  if (keyLifetimeMs < hourMs) {
    findings.error(
      'conflict',
      settings.position('ticket_key_lifetime'),
      'ticket_key_lifetime must be at least 1h',
    );
  }
  return { form: settings.required('tickets', 'choice') as TicketConfiguration['form'], keyLifetimeMs };
}
