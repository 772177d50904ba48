/* A stand-in for NVIDIA's libnvidia-ml.so.1: those functions that pynvml calls for the nvidia driver, answering from the file that FAKE_NVML names.
 *
 * Lines of that file, fields separated by tabs:
 *   gpu   <uuid> <name> <memory, bytes> <PCI bus id> <MIG mode: 0 or 1> <NUMA nodes, a bit set>
 *   mig   <number> <uuid> <name> <memory, bytes>      a MIG device of the gpu above
 *   fail  <function> <gpu number, or -1: all> <NVML result>
 *   process <gpu number> <pid>    computes on it
 *   ecc   <gpu number> <uncorrectable errors since the last reset>
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, UNKNOWN = 999 };
enum { MAX_DEVICES = 64, MAX_FAILURES = 64, MIG_PER_GPU = 7 };

typedef struct device {
    int gpu, mig; /* numbers; mig is -1 for a GPU */
    char uuid[96], name[96], bus_id[32];
    unsigned long long memory, numa_nodes;
    unsigned int mig_mode;
} Device;

typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { char legacy[16]; unsigned int domain, bus, device, id, subsystem; char bus_id[32]; } PciInfo; /* nvmlPciInfo_t */

static Device devices[MAX_DEVICES];
static struct { char function[64]; int gpu, result; } failures[MAX_FAILURES];
typedef struct { unsigned int pid; unsigned long long memory; unsigned int gpu_instance, compute_instance; } Process; /* nvmlProcessInfo_t, version 3 */
static struct { int gpu; unsigned int pid; } processes[MAX_DEVICES];
static unsigned long long ecc_errors[MAX_DEVICES];
static int process_count;
static int device_count, failure_count, gpu_count, users;

static void read_line(const char *line) {
    Device *d = &devices[device_count];
    int gpu;
    unsigned long long errors;
    if (sscanf(line, "fail\t%63[^\t]\t%d\t%d", failures[failure_count].function, &failures[failure_count].gpu, &failures[failure_count].result) == 3) {
        failure_count++;
    } else if (sscanf(line, "gpu\t%95[^\t]\t%95[^\t]\t%llu\t%31[^\t]\t%u\t%llu", d->uuid, d->name, &d->memory, d->bus_id, &d->mig_mode, &d->numa_nodes) == 6) {
        d->gpu = gpu_count++;
        d->mig = -1;
        device_count++;
    } else if (sscanf(line, "mig\t%d\t%95[^\t]\t%95[^\t]\t%llu", &d->mig, d->uuid, d->name, &d->memory) == 4) {
        d->gpu = gpu_count - 1;
        device_count++;
    } else if (process_count < MAX_DEVICES && sscanf(line, "process\t%d\t%u", &processes[process_count].gpu, &processes[process_count].pid) == 2) {
        process_count++;
    } else if (sscanf(line, "ecc\t%d\t%llu", &gpu, &errors) == 2 && gpu >= 0 && gpu < MAX_DEVICES) {
        ecc_errors[gpu] = errors;
    } else {
        fprintf(stderr, "fake NVML: line not understood: %s\n", line);
        exit(70);
    }
}

static void read_state(void) {
    const char *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[512];
    if (!file) {
        fprintf(stderr, "fake NVML: FAKE_NVML must name a readable file, not %s\n", path ? path : "nothing");
        exit(70);
    }
    device_count = failure_count = gpu_count = process_count = 0;
    memset(ecc_errors, 0, sizeof ecc_errors);
    while (device_count < MAX_DEVICES && failure_count < MAX_FAILURES && fgets(line, sizeof line, file)) read_line(line);
    fclose(file);
}

static int failure(const char *function, int gpu) {
    if (!users) return UNINITIALIZED;
    for (int i = 0; i < failure_count; i++)
        if (!strcmp(failures[i].function, function) && (failures[i].gpu == -1 || failures[i].gpu == gpu)) return failures[i].result;
    return SUCCESS;
}

static int find(int gpu, int mig, Device **found) {
    for (int i = 0; i < device_count; i++)
        if (devices[i].gpu == gpu && devices[i].mig == mig) return *found = &devices[i], SUCCESS;
    return NOT_FOUND;
}

static int copy(const char *text, char *to, unsigned int size) {
    return (unsigned int)snprintf(to, size, "%s", text) < size ? SUCCESS : INSUFFICIENT_SIZE;
}

#define FAIL_IF_TOLD(gpu) do { int told = failure(__func__, gpu); if (told) return told; } while (0)

EXPORT int nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    read_state();
    users++;
    int result = failure(__func__, -1);
    if (result) users--;
    return result;
}

EXPORT int nvmlShutdown(void) {
    FAIL_IF_TOLD(-1);
    users--;
    return SUCCESS;
}

EXPORT const char *nvmlErrorString(int result) {
    return result == UNKNOWN ? "Unknown Error" : "A Failure Of The Fake";
}

EXPORT int nvmlDeviceGetCount_v2(unsigned int *count) {
    FAIL_IF_TOLD(-1);
    *count = (unsigned int)gpu_count;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned int index, Device **device) {
    FAIL_IF_TOLD((int)index);
    return find((int)index, -1, device) ? INVALID_ARGUMENT : SUCCESS;
}

EXPORT int nvmlDeviceGetUUID(Device *device, char *uuid, unsigned int size) {
    FAIL_IF_TOLD(device->gpu);
    return copy(device->uuid, uuid, size);
}

EXPORT int nvmlDeviceGetName(Device *device, char *name, unsigned int size) {
    FAIL_IF_TOLD(device->gpu);
    return copy(device->name, name, size);
}

EXPORT int nvmlDeviceGetMemoryInfo(Device *device, Memory *memory) {
    FAIL_IF_TOLD(device->gpu);
    *memory = (Memory){.total = device->memory, .free = device->memory};
    return SUCCESS;
}

EXPORT int nvmlDeviceGetPciInfo_v3(Device *device, PciInfo *info) {
    FAIL_IF_TOLD(device->gpu);
    if (device->mig >= 0) return NOT_SUPPORTED;
    memset(info, 0, sizeof *info);
    return copy(device->bus_id, info->bus_id, sizeof info->bus_id);
}

EXPORT int nvmlDeviceGetMemoryAffinity(Device *device, unsigned int words, unsigned long *nodes, int scope) {
    FAIL_IF_TOLD(device->gpu);
    if (device->mig >= 0 || scope != 0 || words < 1) return NOT_SUPPORTED;
    memset(nodes, 0, words * sizeof *nodes);
    nodes[0] = device->numa_nodes;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMigMode(Device *device, unsigned int *current, unsigned int *pending) {
    FAIL_IF_TOLD(device->gpu);
    *current = *pending = device->mig_mode;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned int *count) {
    FAIL_IF_TOLD(device->gpu);
    *count = MIG_PER_GPU;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned int index, Device **mig) {
    FAIL_IF_TOLD(device->gpu);
    return find(device->gpu, (int)index, mig);
}

EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, Device **device) {
    for (int i = 0; i < device_count; i++)
        if (!strcmp(devices[i].uuid, uuid)) {
            FAIL_IF_TOLD(devices[i].gpu);
            return *device = &devices[i], SUCCESS;
        }
    return NOT_FOUND;
}

EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned int *count, Process *found) {
    FAIL_IF_TOLD(device->gpu);
    unsigned int room = *count;
    *count = 0;
    for (int i = 0; i < process_count; i++)
        if (processes[i].gpu == device->gpu) {
            if (found && *count < room) found[*count] = (Process){.pid = processes[i].pid};
            ++*count;
        }
    return *count > room ? INSUFFICIENT_SIZE : SUCCESS;
}

EXPORT int nvmlDeviceGetTotalEccErrors(Device *device, int type, int counter, unsigned long long *errors) {
    FAIL_IF_TOLD(device->gpu);
    if (type != 1 || counter != 0) return NOT_SUPPORTED; /* uncorrected, volatile */
    *errors = ecc_errors[device->gpu];
    return SUCCESS;
}
