import { asm, defineCases, DEVICE_TYPE_VFIO, ioctl } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

/** KVM_DEV_VFIO_FILE and its attributes: add and delete a file (kernel: virt/kvm/devices/vfio). */
const FILE = 1;
const ADD = 1;
const DELETE = 2;

const rows = { "unknown-type": false, vfio: true };

/** A device of a known type has its documented attributes, and no others; an unknown type is ENODEV. */
export default defineCases("system/device", rows, (known) => ({
  spec: [
    "KVM API 4.79: KVM_CREATE_DEVICE (ENODEV, KVM_CREATE_DEVICE_TEST)",
    "KVM API 4.80, 4.81: device attributes (ENXIO, EPERM)",
    "Documentation/virt/kvm/devices/vfio.rst: KVM_DEV_VFIO_FILE",
  ],
  mode: "real",
  requires: ["KVM_CAP_DEVICE_CTRL"],
  guest: asm`hlt`,
  drive(context) {
    const { assertEquals, attempt, note } = context;
    using vm = freshVm(context);
    if (!known) {
      for (const type of [0, 0x1000, 0xffffffff]) {
        assertEquals(`type ${type}`, vm.hasDeviceType(type), false);
        attempt(() => vm.createDevice(type));
      }
      return;
    }
    assertEquals("the test", vm.hasDeviceType(DEVICE_TYPE_VFIO), true);
    // The test has made none: there may be one.
    using device = vm.createDevice(DEVICE_TYPE_VFIO);
    attempt(() => vm.createDevice(DEVICE_TYPE_VFIO));
    const has = (group: number, attribute: number) => device.hasAttribute({ group, attribute });
    assertEquals(
      "attributes",
      [has(FILE, ADD), has(FILE, DELETE), has(FILE, 0x1000), has(0, ADD), has(0x1000, ADD)],
      [true, true, false, false, false],
    );
    const nothing = new Uint8Array(4).fill(0xff);
    // A file, but none of VFIO's.
    const itself = new Uint8Array(new Int32Array([device.fd]).buffer);
    assertEquals("answers", {
      "unknown attribute": refusal(() =>
        device.setAttribute({ group: FILE, attribute: 0x1000 }, nothing)
      ),
      "unknown group": refusal(() => device.setAttribute({ group: 9, attribute: ADD }, nothing)),
      "no descriptor": refusal(() => device.setAttribute({ group: FILE, attribute: ADD }, nothing)),
      "no VFIO file": refusal(() => device.setAttribute({ group: FILE, attribute: ADD }, itself)),
      "no descriptor to delete": refusal(() =>
        device.setAttribute({ group: FILE, attribute: DELETE }, nothing)
      ),
      "a file that was not added": refusal(() =>
        device.setAttribute({ group: FILE, attribute: DELETE }, itself)
      ),
      // It cannot be read.
      "reading": refusal(() => device.attribute({ group: FILE, attribute: ADD }, 4)),
      "another ioctl": refusal(() => ioctl(device, "KVM_RUN")),
    }, {
      "unknown attribute": "ENXIO",
      "unknown group": "ENXIO",
      "no descriptor": "EBADF",
      "no VFIO file": "EINVAL",
      "no descriptor to delete": "EBADF",
      "a file that was not added": "ENOENT",
      "reading": "EPERM",
      "another ioctl": "ENOTTY",
    });
    note("done");
  },
  trace: known
    ? `
      > device 0x4
      > device 0x4 -> EBUSY|EEXIST
      > set-attribute -> ENXIO
      > set-attribute -> ENXIO
      > set-attribute -> EBADF
      > set-attribute -> EINVAL
      > set-attribute -> EBADF
      > set-attribute -> ENOENT
      > done
      hlt
    `
    : `
      > device 0x0 -> ENODEV
      > device 0x1000 -> ENODEV
      > device 0xffffffff -> ENODEV
      hlt
    `,
}));
