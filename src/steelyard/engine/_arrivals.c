/* Reads the sockets that have something, with the kernel's stamp of when it arrived.
 *
 * Called from receiver.py, which holds everything that is decided; here is only what happens for
 * each read. Linux only. Uses the stable interface of Python 3.11, so one build serves later ones.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include <Python.h>

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#define READ_BYTES 65536
#define MOST_A_LOOK 4096
#define MOST_READS 16 /* of one socket in one look; then others have their turn */
#define SURE_NS 2000
#define PROMPT_NS 3000000 /* what is read so soon after its stamp cannot have waited for long */
#define RARE_NS 10000000
#define NS_PER_S 1000000000LL

static char bytes_read[READ_BYTES];

/* What receiver.py hears of a socket: bytes that want looking at, an orderly end, else an errno. */
enum { CAME = -1, ENDED = 0 };

typedef struct {
    int64_t nothing_before_ns; /* an earlier look found nothing then */
    int64_t looked_ns;
    int64_t ahead_ns; /* of our clock over the kernel's */
    long reads;
    int rare; /* the last look is so long ago that it bounds little */
    int left; /* a socket was not read to its end */
} Look;

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Whether packets of this connection ever came out of order: bytes that waited for a lost packet
 * carry a stamp from before they could be read. A kernel that does not count them: who knows. */
static int out_of_order(int descriptor) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return 1;
    if (size < offsetof(struct tcp_info, tcpi_rcv_ooopack) + sizeof info.tcpi_rcv_ooopack) return 1;
    return info.tcpi_rcv_ooopack > 0;
}

/* When the bytes of `message` arrived, within what is possible: the kernel's clock may be set. */
static int64_t arrived_ns(int descriptor, struct msghdr *message, const Look *look) {
    for (struct cmsghdr *note = CMSG_FIRSTHDR(message); note; note = CMSG_NXTHDR(message, note)) {
        if (note->cmsg_level != SOL_SOCKET || note->cmsg_type != SCM_TIMESTAMPNS) continue;
        struct timespec stamp;
        memcpy(&stamp, CMSG_DATA(note), sizeof stamp);
        int64_t ns = (int64_t)stamp.tv_sec * NS_PER_S + stamp.tv_nsec + look->ahead_ns;
        if (ns < look->nothing_before_ns) ns = look->nothing_before_ns;
        if (ns < look->looked_ns - PROMPT_NS && look->rare && out_of_order(descriptor)) break;
        if (ns <= look->looked_ns) return ns;
        int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
        return ns < now_ns ? ns : now_ns;
    }
    return clock_ns(CLOCK_MONOTONIC);
}

/* Our clock minus the kernel's. Whoever is interrupted between two readings reads them again. */
static int64_t ahead_ns(void) {
    int64_t least_ns = INT64_MAX, ahead = 0;
    for (int number = 0; number < 4 && least_ns > SURE_NS; number++) {
        int64_t before = clock_ns(CLOCK_MONOTONIC), real = clock_ns(CLOCK_REALTIME);
        int64_t took_ns = clock_ns(CLOCK_MONOTONIC) - before;
        if (took_ns >= least_ns) continue;
        least_ns = took_ns;
        ahead = before + took_ns / 2 - real;
    }
    return ahead;
}

static int append_new(PyObject *list, PyObject *item) {
    int failed = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return failed;
}

static int tell(PyObject *told, int descriptor, int what) {
    PyObject *pair = Py_BuildValue("(ii)", descriptor, what);
    int failed = pair ? PyList_Append(told, pair) : -1;
    Py_XDECREF(pair);
    return failed;
}

/* Where the last arrival of a descriptor is kept; NULL with an exception set. Of one that was closed
 * it is in the past, and does no harm to whoever gets its number. */
static int64_t *last_arrival(int descriptor) {
    static int64_t *kept;
    static int number;
    if (descriptor >= number) {
        int more = 2 * descriptor + 64;
        int64_t *moved = realloc(kept, more * sizeof *kept);
        if (!moved) return (int64_t *)PyErr_NoMemory();
        memset(moved + number, 0, (more - number) * sizeof *kept);
        kept = moved;
        number = more;
    }
    return kept + descriptor;
}

/* Puts a read into its inlet; whether it needs a look at: 1, 0, or -1 with an exception set. */
static int put(PyObject *inlet, int64_t ns, int64_t *last_ns, ssize_t size) {
    PyObject *times = PyTuple_GetItem(inlet, 0), *reads = PyTuple_GetItem(inlet, 1);
    PyObject *quiet = PyTuple_GetItem(inlet, 2), *since = PyTuple_GetItem(inlet, 3);
    if (!times || !reads || !quiet || !since) return -1;
    long long since_ns = PyLong_AsLongLong(since);
    if (since_ns == -1 && PyErr_Occurred()) return -1;
    if (ns < since_ns) ns = since_ns;
    if (ns < *last_ns) ns = *last_ns; /* bytes of one connection come in order */
    *last_ns = ns;
    if (append_new(times, PyLong_FromLongLong(ns)) < 0) return -1;
    if (append_new(reads, PyBytes_FromStringAndSize(bytes_read, size)) < 0) return -1;
    return quiet != Py_True || size < 4 || !memcmp(bytes_read + size - 4, "\r\n\r\n", 4);
}

/* Reads one socket until it is empty, or had its turn. 0, or -1 with an exception set. */
static int read_socket(int epoll, struct epoll_event *event, PyObject *inlet, Look *look,
                       PyObject *told) {
    _Alignas(struct cmsghdr) char notes[CMSG_SPACE(sizeof(struct timespec)) + 64];
    struct iovec place = {bytes_read, READ_BYTES};
    int descriptor = event->data.fd, looks = 0;
    int64_t *last_ns = last_arrival(descriptor);
    if (!last_ns) return -1;
    for (int number = 0;; number++) {
        if (number == MOST_READS) {
            event->events = EPOLLIN | EPOLLRDHUP | EPOLLET; /* said again: it is told again */
            if (epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, event) < 0) {
                PyErr_SetFromErrno(PyExc_OSError);
                return -1;
            }
            look->left = 1;
            break;
        }
        struct msghdr message = {
            .msg_iov = &place, .msg_iovlen = 1, .msg_control = notes, .msg_controllen = sizeof notes};
        ssize_t size = recvmsg(descriptor, &message, MSG_DONTWAIT);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (size <= 0) {
            int what = size < 0 ? errno : ENDED;
            if (looks && tell(told, descriptor, CAME) < 0) return -1;
            return tell(told, descriptor, what);
        }
        look->reads++;
        int wants = put(inlet, arrived_ns(descriptor, &message, look), last_ns, size);
        if (wants < 0) return -1;
        looks |= wants;
        if (size < READ_BYTES && event->events == EPOLLIN) break;
    }
    return looks ? tell(told, descriptor, CAME) : 0;
}

static PyObject *look(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *inlets;
    int epoll;
    long long nothing_before_ns;
    if (!PyArg_ParseTuple(args, "iO!L:look", &epoll, &PyDict_Type, &inlets, &nothing_before_ns))
        return NULL;
    Look now = {.nothing_before_ns = nothing_before_ns, .looked_ns = clock_ns(CLOCK_MONOTONIC)};
    now.ahead_ns = ahead_ns();
    now.rare = now.looked_ns - now.nothing_before_ns > RARE_NS;
    struct epoll_event events[MOST_A_LOOK]; /* not static: two threads may look, each at its own */
    int found = epoll_wait(epoll, events, MOST_A_LOOK, 0);
    if (found < 0 && errno != EINTR) return PyErr_SetFromErrno(PyExc_OSError);
    PyObject *told = PyList_New(0);
    for (int place = 0; told && place < found; place++) {
        PyObject *key = PyLong_FromLong(events[place].data.fd);
        PyObject *inlet = key ? PyDict_GetItemWithError(inlets, key) : NULL;
        Py_XINCREF(inlet);
        Py_XDECREF(key);
        if (!inlet && !PyErr_Occurred()) continue; /* removed */
        if (!inlet || read_socket(epoll, &events[place], inlet, &now, told) < 0) Py_CLEAR(told);
        Py_XDECREF(inlet);
    }
    if (!told) return NULL;
    PyObject *all = found >= 0 && found < MOST_A_LOOK && !now.left ? Py_True : Py_False;
    return Py_BuildValue("(LlON)", (long long)now.looked_ns, now.reads, all, told);
}

static PyMethodDef functions[] = {
    {"look", look, METH_VARARGS, "See the stub, _arrivals.pyi."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_arrivals",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__arrivals(void) { return PyModuleDef_Init(&definition); }
