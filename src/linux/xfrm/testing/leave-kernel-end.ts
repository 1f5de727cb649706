// For tests within a namespace: takes away what a data plane of this owner has left in the kernel.
import { leaveKernel } from '../leave-kernel.ts';

leaveKernel(process.argv[2] ?? 'test');
