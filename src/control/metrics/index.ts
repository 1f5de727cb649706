// Room `control`, the part for Prometheus: its library is loaded only where somebody asks for metrics.
export { Metrics, type MetricsSource } from './metrics.ts';
