// Marks and XFRM interfaces of a child, with those that its connection gives to all.
import type { ChildConfiguration, ChildKernelTies, DirectionTies } from '#engine';
import type { Settings } from '../options/check.ts';
import type { InterfaceIdSetting, MarkSetting } from '../values/mark.ts';
import type { BuildContext } from './context.ts';

/** @param connection the section that the child is in */
export function buildKernelTies(
  settings: Settings,
  connection: Settings,
  context: BuildContext,
): ChildConfiguration['kernelTies'] {
  checkUnique(settings, connection, context);
  const ties: ChildKernelTies = {
    inbound: directionTies(settings, connection, 'in', context),
    outbound: directionTies(settings, connection, 'out', context),
    markInboundSa: settings.required('mark_in_sa', 'boolean'),
  };
  const any = [ties.inbound, ties.outbound].some((one) => Object.keys(one).length > 0);
  if (!any) return undefined;
  if (context.host.withoutKernel)
    context.findings.error(
      'conflict',
      settings.section.position,
      "marks and XFRM interfaces are the kernel's: data_plane = userspace has none",
    );
  return ties;
}

function directionTies(
  settings: Settings,
  connection: Settings,
  suffix: 'in' | 'out',
  context: BuildContext,
): DirectionTies {
  const mark = settings.required(`mark_${suffix}`, 'mark');
  const setMark = settings.required(`set_mark_${suffix}`, 'mark');
  const interfaceId = ownOr(settings, connection, `if_id_${suffix}`);
  if (mark === 'same') {
    context.findings.error('bad-value', settings.position(`mark_${suffix}`), '%same is for set_mark only');
    return {};
  }
  if (setMark === 'unique' || setMark === 'unique-per-direction') {
    const written = `set_mark_${suffix}`;
    context.findings.error('bad-value', settings.position(written), `${written} is a mark or %same`);
    return {};
  }
  return {
    ...(mark !== 'none' && { mark }),
    ...(setMark !== 'none' && { setMark }),
    ...(interfaceId !== 'none' && { interfaceId }),
  };
}

function ownOr(settings: Settings, connection: Settings, name: string): InterfaceIdSetting {
  return settings.value(name, 'interface-id') ?? connection.required(name, 'interface-id');
}

const isUnique = (setting: MarkSetting | InterfaceIdSetting | undefined): boolean =>
  setting === 'unique' || setting === 'unique-per-direction';

/** A number of a Child SA's own is known when there is one. */
function checkUnique(settings: Settings, connection: Settings, { findings }: BuildContext): void {
  const trap = settings.value('start_action', 'choice') === 'trap';
  for (const suffix of ['in', 'out'] as const) {
    const interfaceId = `if_id_${suffix}`;
    if (isUnique(connection.value(interfaceId, 'interface-id')))
      findings.error(
        'unsupported',
        connection.position(interfaceId),
        `${interfaceId} of a connection is a number; %unique is for its children`,
      );
    if (!trap) continue;
    for (const [name, type] of [
      [`mark_${suffix}`, 'mark'],
      [interfaceId, 'interface-id'],
    ] as const) {
      if (isUnique(settings.value(name, type)))
        findings.error(
          'conflict',
          settings.position(name),
          `start_action = trap needs a number: ${name} = %unique is known once there is a Child SA`,
        );
    }
  }
}
