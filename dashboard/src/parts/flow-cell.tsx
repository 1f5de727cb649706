// What one direction of a pair of SAs carries now, and has carried.
import type { Flow } from '../../../src/control/api/index.ts';
import { bitRate, count, octets } from '../format.ts';

/** @param flow absent while there is no SA */
export function FlowCell({ flow, label }: { flow: Flow | undefined; label: string }) {
  return (
    <td data-label={label} class="number">
      {flow === undefined ? (
        '–'
      ) : (
        <>
          <b>{bitRate(flow.bytesPerSecond)}</b>
          <small>
            <span>{octets(flow.bytes)},</span> <span>{count(flow.packets)} packets</span>
            {flow.refused > 0 && <em class="bad"> {count(flow.refused)} refused</em>}
          </small>
        </>
      )}
    </td>
  );
}
