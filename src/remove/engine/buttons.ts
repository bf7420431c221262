/**
 * The attention button of a slot pressed while we work: pciehp takes the power away five seconds later, whoever uses the
 * card, and only the kernel log tells. The removal goes on, because what it has let go of by then is safe; but it says so
 * at once, since a second press within the five seconds keeps the card.
 */
import { isMissing } from '../../host/fact.ts';
import { pendingButtons } from '../../machine/bus/buttons.ts';
import type { Step } from '../../steps/step.ts';
import type { Removal } from './removal.ts';

/** Looks at the log since the removal began; each press is told once. */
export async function noticePress(removal: Removal, step: Step): Promise<void> {
  const slots = removal.header.slots ?? [];
  if (slots.length === 0 || removal.logMark === null) return;
  const lines = removal.host.log.since(removal.logMark);
  if (isMissing(lines)) return;
  for (const [slot, { line }] of pendingButtons(lines, null)) {
    if (!slots.includes(slot) || removal.noticed.some((n) => n.includes(line))) continue;
    const says = `the attention button of slot ${slot} was pressed ("${line}"): the kernel takes the card's power away 5 seconds after that, whoever uses it; press it again within them to keep the card`;
    removal.noticed.push(says);
    removal.progress(step, says);
    await removal.journal.tell({ entry: 'noticed', says });
  }
}
