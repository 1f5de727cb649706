// For a process that protects packets itself: nothing that one before it has left in the kernel stands in their way.
import { SystemCallError } from '../libc/errno.ts';
import { KernelDataPlane } from './kernel-data-plane.ts';

/**
 * Removes SAs and policies of a kernel data plane that was killed: traffic would go by its policies, not by our routes.
 * @param ownerName as that one had it; none of that name may run
 */
export function leaveKernel(ownerName: string): void {
  try {
    const plane = new KernelDataPlane(ownerName);
    try {
      plane.removeEarlier();
    } finally {
      plane.close();
    }
  } catch (error) {
    // Without XFRM in this kernel, or the right to change it, nothing of ours can be there.
    if (!(error instanceof SystemCallError)) throw error;
  }
}
