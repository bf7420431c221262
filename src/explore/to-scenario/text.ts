/** A scenario as the text of a file: a head that says where it is from, then YAML that is short to read. */
import { stringify } from 'yaml';
import type { ScenarioInput } from './machine.ts';

const WIDTH = 150;

export function scenarioText(input: ScenarioInput, about: readonly string[]): string {
  const head = about.flatMap((line) => wrapped(line)).map((line) => `# ${line}\n`).join('');
  const body = Object.entries(input).map(([key, value]) => {
    if (!Array.isArray(value) || !value.some((item) => typeof item === 'object')) return isPlain(value) ? `${key}:\n${entries(value)}` : `${key}: ${flow(value)}\n`;
    return `${key}:\n${value.map((item) => `  - ${flow(item)}\n`).join('')}`;
  }).join('');
  return head + body;
}

const isPlain = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const entries = (value: Record<string, unknown>): string => Object.entries(value).map(([key, inner]) => `  ${key}: ${flow(inner)}\n`).join('');

/** One line of YAML in flow style. */
const flow = (value: unknown): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).replace(/\n\s*/g, ' ').trim();

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
