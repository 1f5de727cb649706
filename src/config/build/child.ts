// A `children` subsection -> ChildConfiguration.
import type { ChildConfiguration } from '#engine';
import type { Proposal, SaMode } from '#sa';
import type { Settings } from '../options/check.ts';
import type { BuildContext } from './context.ts';
import { buildHardwareOffload } from './hardware-offload.ts';
import { buildKernelTies } from './kernel-ties.ts';
import { buildChildLifetimes } from './lifetime.ts';

/** @param connection the section that the child is in */
export function buildChild(
  settings: Settings,
  connection: Settings,
  context: BuildContext,
): ChildConfiguration {
  const updown = settings.value('updown', 'text');
  const inactivityMs = settings.required('inactivity', 'duration');
  const tfcPadding = settings.required('tfc_padding', 'padding');
  const priority = settings.required('priority', 'count');
  const kernelTies = buildKernelTies(settings, connection, context);
  const hardwareOffload = buildHardwareOffload(settings, context);
  return {
    name: settings.section.name,
    mode: settings.required('mode', 'choice') as SaMode,
    proposals: proposals(settings, context),
    localSelectors: settings.required('local_ts', 'selectors'),
    remoteSelectors: settings.required('remote_ts', 'selectors'),
    lifetimes: buildChildLifetimes(settings, context),
    startAction: settings.required('start_action', 'choice') as ChildConfiguration['startAction'],
    closeAction: settings.required('close_action', 'choice') as ChildConfiguration['closeAction'],
    dpdAction: settings.required('dpd_action', 'choice') as ChildConfiguration['dpdAction'],
    ...(updown === undefined ? {} : { updown }),
    policies: settings.required('policies', 'boolean'),
    replayWindow: settings.required('replay_window', 'count'),
    ...(inactivityMs === 0 ? {} : { inactivityMs }),
    copyDf: settings.required('copy_df', 'boolean'),
    copyDscp: settings.required('copy_dscp', 'choice') as ChildConfiguration['copyDscp'],
    ...(tfcPadding === 0 ? {} : { tfcPadding }),
    ...(priority === 0 ? {} : { priority }),
    ...(kernelTies === undefined ? {} : { kernelTies }),
    ...(hardwareOffload === undefined ? {} : { hardwareOffload }),
  };
}

/** AH replaces ESP; both at once would be a bundle, which RFC 7296 1.3 no longer negotiates. */
function proposals(settings: Settings, context: BuildContext): readonly Proposal[] {
  const ah = settings.value('ah_proposals', 'ah-proposals');
  if (ah === undefined) return settings.required('esp_proposals', 'esp-proposals');
  if (settings.value('esp_proposals', 'esp-proposals') !== undefined) {
    context.findings.error(
      'conflict',
      settings.position('ah_proposals'),
      'a Child SA has either ah_proposals or esp_proposals',
    );
  }
  return ah;
}
