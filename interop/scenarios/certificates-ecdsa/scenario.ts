// Both sides prove themselves with ECDSA P-256 certificates of one root.
import { certificateScenario } from '../../harness/certificate-scenario.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = certificateScenario('ecdsa', 'ECDSA P-256');
export default scenario;
