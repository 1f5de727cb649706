// One packet thread, or several that are like one to whoever opens them.
import type { PacketThreadOptions } from '../packet-thread/control/messages.ts';
import { PacketThread, type PacketThreadListener } from '../packet-thread/packet-thread.ts';
import { PacketThreads } from './packet-threads.ts';

/**
 * Opens the device, and no socket.
 * @param threads 1 at least
 * @throws PacketThreadError if it cannot be had
 */
export function openPacketThreads(
  options: PacketThreadOptions,
  listener: PacketThreadListener,
  threads: number,
): Promise<PacketThread | PacketThreads> {
  return threads === 1
    ? PacketThread.open(options, listener)
    : PacketThreads.open(options, listener, threads);
}
