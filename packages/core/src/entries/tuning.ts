/**
 * Tuning beyond `tune` (`shortlist/tuning`): automatic settings, a choice of builds, and the Pareto front. Re-exports only.
 */

// tuning
export { type AutopilotSettings, autopilot } from '../tuning/autopilot.ts';
export { paretoFront, type TradeOff } from '../tuning/pareto.ts';
export {
  type BuildSettings,
  type BuiltPoint,
  type TuneBuildOptions,
  type TuneBuildReport,
  tuneBuild,
} from '../tuning/tune-build.ts';
