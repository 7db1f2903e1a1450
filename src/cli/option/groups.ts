// A command with many options lists them in groups, by what they are for.
import type { Command } from 'commander';

/** `groups`: by heading, the names of options as the action gets them. */
export function inGroups(command: Command, groups: Readonly<Record<string, readonly string[]>>): Command {
  const headings = new Map(
    Object.entries(groups).flatMap(([heading, names]) => names.map((name) => [name, heading] as const)),
  );
  for (const option of command.options) {
    const heading = headings.get(option.attributeName());
    if (heading !== undefined) option.helpGroup(heading);
  }
  return command;
}
