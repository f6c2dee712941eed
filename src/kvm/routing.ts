import {
  ArgumentError,
  list,
  object,
  oneOf,
  shown,
  unsigned32,
  unsigned64,
} from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { encode } from "../../ffi/abi/layout.ts";
import {
  kvm_irq_routing,
  kvm_irq_routing_entry,
  kvm_irq_routing_entry_hv_sint,
  kvm_irq_routing_entry_irqchip,
  kvm_irq_routing_entry_msi,
  kvm_irq_routing_entry_xen_evtchn,
} from "../../ffi/abi/interrupts.ts";

/** A message-signalled interrupt, as a device would write it. */
export interface Msi {
  /** The address written to, usually 0xfee00000 and the destination. */
  readonly address: bigint | number;
  /** The 32 bits written: vector, delivery mode, level, trigger mode. */
  readonly data: number;
  /** KVM_MSI_VALID_DEVID or 0, which is default: x86 has no use for a device's id. */
  readonly flags?: number;
}

/** An in-kernel interrupt controller of a VM. */
export type InterruptChip = "pic-master" | "pic-slave" | "ioapic";

/** The number of each chip (KVM_IRQCHIP_*). */
export const chips: Readonly<Record<InterruptChip, number>> = {
  "pic-master": constants.KVM_IRQCHIP_PIC_MASTER,
  "pic-slave": constants.KVM_IRQCHIP_PIC_SLAVE,
  ioapic: constants.KVM_IRQCHIP_IOAPIC,
};

/** What a GSI is connected to (`struct kvm_irq_routing_entry`, KVM API 4.52). */
export type Route =
  & {
    /** The global system interrupt. */
    readonly gsi: number;
    /** KVM_MSI_VALID_DEVID or 0, which is default. */
    readonly flags?: number;
  }
  & (
    | {
      /** A pin of an in-kernel chip. */
      readonly chip: InterruptChip;
      /** Its number, 0 to 7 of a PIC, 0 to 23 of the IOAPIC. */
      readonly pin: number;
    }
    | {
      /** A message. */
      readonly msi: Msi;
    }
    | {
      /** A synthetic interrupt source of Hyper-V, 0 to 15 (KVM_CAP_HYPERV_SYNIC). */
      readonly sint: number;
      /** The vCPU that has it. */
      readonly vcpu: number;
    }
    | {
      /** A port of Xen's event channels (KVM_XEN_HVM_CONFIG_EVTCHN_2LEVEL). */
      readonly port: number;
      /** The vCPU that it is bound to. */
      readonly vcpu: number;
      /** Default: two levels, the only one that KVM has. */
      readonly priority?: number;
    }
  );

/** The two halves of an MSI's address, as the structures have them. */
export function addressHalves(msi: Msi): { address_lo: number; address_hi: number } {
  const address = unsigned64("the address of an MSI", object("the MSI", msi).address);
  return { address_lo: Number(address & 0xffffffffn), address_hi: Number(address >> 32n) };
}

/**
 * The bytes of a routing table (`struct kvm_irq_routing` and its entries).
 *
 * @throws {ArgumentError} when a route is of no kind or a number is not 32 bits.
 */
export function encodeRouting(routes: readonly Route[], flags: number): DataView<ArrayBuffer> {
  const { length } = list("the routes", routes);
  const { size } = kvm_irq_routing_entry;
  const view = new DataView(new ArrayBuffer(kvm_irq_routing.size + length * size));
  encode(kvm_irq_routing, view, { nr: length, flags: unsigned32("the flags", flags) });
  routes.forEach((route, index) => encodeRoute(view, kvm_irq_routing.size + index * size, route));
  return view;
}

function encodeRoute(view: DataView, at: number, route: Route): void {
  const head = {
    gsi: unsigned32("a GSI", object("a route", route).gsi),
    flags: unsigned32("the flags of a route", route.flags ?? 0),
  };
  if ("msi" in route) {
    const data = unsigned32("the data of an MSI", route.msi?.data);
    const msi = { ...addressHalves(route.msi), data, devid: 0 };
    const type = constants.KVM_IRQ_ROUTING_MSI;
    encode(kvm_irq_routing_entry_msi, view, { ...head, type, u: { msi } }, at);
  } else if ("chip" in route) {
    const irqchip = {
      irqchip: chips[oneOf("the chip of a route", route.chip, chips)],
      pin: unsigned32("the pin of a route", route.pin),
    };
    const type = constants.KVM_IRQ_ROUTING_IRQCHIP;
    encode(kvm_irq_routing_entry_irqchip, view, { ...head, type, u: { irqchip } }, at);
  } else if ("sint" in route) {
    const hv_sint = {
      vcpu: unsigned32("the vCPU of a route", route.vcpu),
      sint: unsigned32("the source of a route", route.sint),
    };
    const type = constants.KVM_IRQ_ROUTING_HV_SINT;
    encode(kvm_irq_routing_entry_hv_sint, view, { ...head, type, u: { hv_sint } }, at);
  } else if ("port" in route) {
    const { priority = constants.KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL } = route;
    const xen_evtchn = {
      port: unsigned32("the port of a route", route.port),
      vcpu: unsigned32("the vCPU of a route", route.vcpu),
      priority: unsigned32("the priority of a route", priority),
    };
    const type = constants.KVM_IRQ_ROUTING_XEN_EVTCHN;
    encode(kvm_irq_routing_entry_xen_evtchn, view, { ...head, type, u: { xen_evtchn } }, at);
  } else {
    throw new ArgumentError(`a route to nothing (${shown(route)}): give chip, msi, sint or port`);
  }
}
