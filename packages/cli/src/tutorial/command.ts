import type { Command } from '../terminal/command.ts';
export const tutorial: Command = async () => 0;
