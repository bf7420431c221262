/**
 * Native PCIe hotplug (drivers/pci/hotplug/pciehp_ctrl.c, pciehp_hpc.c, pciehp_pci.c; 5.10 to 7.2). "9b": attention
 * button, five seconds in which a second press cancels, ->remove(), power off, indicator off: safe to pull. "9d": the
 * link goes first, ->remove() runs for a device that answers all ones. Nobody asks the driver.
 */
import { EBUSY, ENODEV, EINVAL } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { KERN_INFO } from '../../printk.ts';
import { BLOCKED, repeat, type Path } from '../../state/path.ts';
import { deviceDriver } from '../base/bus.ts';
import { deviceDel, getDevice, putDevice } from '../base/dd.ts';
import { cardUnpowered, INDICATOR, SLOT, slotName } from './slot.ts';

/** States of pciehp.h. */
export const HP = { off: 0, on: 1, blinkingOff: 2, blinkingOn: 3, poweroff: 4, poweron: 5 } as const;
/** What the interrupt notes for the handler. */
export const EVENT = { button: 1, linkDown: 2, presence: 4 } as const;

const say = (k: Kernel, slot: number, text: string): void => k.log.write(KERN_INFO, `pciehp: Slot(${slotName(k, slot)}): ${text}`);
const state = (k: Kernel, slot: number): number => k.heap.load(slot + SLOT.state);
const setState = (k: Kernel, slot: number, to: number): void => k.heap.store(slot + SLOT.state, to);

/** Tenths of a second between the button and the power-off. */
const delay = (k: Kernel): number => Number(k.mechanism('bus.pciehp-button-seconds')) * 10;

/** pciehp_handle_button_press. */
function buttonPress(k: Kernel, slot: number): void {
  const now = state(k, slot);
  if (now === HP.on || now === HP.off) {
    const off = now === HP.on;
    setState(k, slot, off ? HP.blinkingOff : HP.blinkingOn);
    k.heap.store(slot + SLOT.indicator, INDICATOR.blinking);
    k.heap.store(slot + SLOT.deadline, k.heap.load(k.clock) + delay(k));
    if (k.mechanism('bus.pciehp-button-text') === 'powering') {
      say(k, slot, 'Attention button pressed');
      say(k, slot, off ? 'Powering off due to button press' : 'Powering on due to button press');
    } else say(k, slot, `Button press: will power ${off ? 'off' : 'on'} in 5 sec`);
    return;
  }
  if (now !== HP.blinkingOff && now !== HP.blinkingOn) return;
  setState(k, slot, now === HP.blinkingOff ? HP.on : HP.off);
  k.heap.store(slot + SLOT.indicator, now === HP.blinkingOff ? INDICATOR.on : INDICATOR.off);
  k.heap.store(slot + SLOT.deadline, 0);
  say(k, slot, 'Button cancel');
  say(k, slot, 'Action canceled due to button press');
}

/** pciehp_ist: the slot's interrupt thread. Ends never; waits for a press, the end of the five seconds, a lost link. */
export function* pciehpIst(k: Kernel, slot = 0): Path<number> {
  return yield* repeat(k, handleEvents, slot);
}

function* handleEvents(k: Kernel, slot = 0): Path<number> {
  while (k.heap.load(slot + SLOT.events) === 0 && !due(k, slot)) yield BLOCKED(`S pciehp ${slotName(k, slot)}: waits for an event`);
  const events = k.heap.load(slot + SLOT.events);
  k.heap.store(slot + SLOT.events, 0);
  if ((events & EVENT.button) !== 0) buttonPress(k, slot);
  if ((events & (EVENT.linkDown | EVENT.presence)) !== 0) yield* k.call(presenceOrLinkChange, slot, events);
  if (!due(k, slot)) return slot;
  k.heap.store(slot + SLOT.deadline, 0);
  if (state(k, slot) === HP.blinkingOff) yield* k.call(disableSlot, slot, 1);
  else if (state(k, slot) === HP.blinkingOn) yield* k.call(enableSlot, slot);
  return slot;
}

const due = (k: Kernel, slot: number): boolean => {
  const deadline = k.heap.load(slot + SLOT.deadline);
  return deadline !== 0 && k.heap.load(k.clock) >= deadline;
};

/** pciehp_handle_presence_or_link_change: surprise removal where the slot was on. */
function* presenceOrLinkChange(k: Kernel, slot = 0, events = 0): Path<number> {
  const now = state(k, slot);
  if (now !== HP.on && now !== HP.blinkingOff) return 0;
  k.heap.store(slot + SLOT.deadline, 0);
  if ((events & EVENT.linkDown) !== 0) say(k, slot, 'Link Down');
  if ((events & EVENT.presence) !== 0) say(k, slot, 'Card not present');
  return yield* k.call(disableSlot, slot, 0);
}

/**
 * pciehp_disable_slot and remove_board: the device's drivers let go, then the power goes. `safe` 0: the card has gone
 * already (SURPRISE_REMOVAL).
 */
export function* disableSlot(k: Kernel, slot = 0, safe = 0): Path<number> {
  setState(k, slot, HP.poweroff);
  const dev = k.heap.load(slot + SLOT.dev);
  if (dev !== 0) {
    if (safe !== 0 && k.mechanism('bus.pciehp-asks-driver') && deviceDriver(k, dev) !== 0) {
      setState(k, slot, HP.on);
      k.heap.store(slot + SLOT.indicator, INDICATOR.on);
      return -EBUSY;
    }
    getDevice(k, dev);
    yield* k.call(deviceDel, dev);
    cardUnpowered(k, slot);
    putDevice(k, dev);
    k.heap.store(slot + SLOT.dev, 0);
  }
  k.heap.store(slot + SLOT.power, 0);
  k.heap.store(slot + SLOT.indicator, INDICATOR.off);
  setState(k, slot, HP.off);
  return 0;
}

/** pciehp_enable_slot: -ENODEV without a card. What is on the card is probed by whoever put it in. */
export function* enableSlot(k: Kernel, slot = 0): Path<number> {
  if (k.heap.load(slot + SLOT.adapter) === 0) {
    // "May be blinking": the press that asked for it made it so.
    k.heap.store(slot + SLOT.indicator, INDICATOR.off);
    setState(k, slot, HP.off);
    return -ENODEV;
  }
  setState(k, slot, HP.poweron);
  k.heap.store(slot + SLOT.power, 1);
  k.heap.store(slot + SLOT.indicator, INDICATOR.on);
  say(k, slot, 'Card present');
  say(k, slot, 'Link Up');
  setState(k, slot, HP.on);
  return 0;
}

/** A write to slots/N/power: 0 takes the device away at once and without a question, 1 brings it back. */
export function* powerStore(k: Kernel, slot = 0, on = 0): Path<number> {
  const now = state(k, slot);
  if (on === 0) {
    if (now !== HP.on && now !== HP.blinkingOff) return -EINVAL;
    k.heap.store(slot + SLOT.deadline, 0);
    return yield* k.call(disableSlot, slot, 1);
  }
  if (now !== HP.off && now !== HP.blinkingOn) return -EINVAL;
  k.heap.store(slot + SLOT.deadline, 0);
  return yield* k.call(enableSlot, slot);
}

