/* A timer that is a file descriptor and counts nanoseconds: the event loop's count milliseconds.
 *
 * Called from alarm.py. Linux only. Uses the stable interface of Python 3.11.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <sys/timerfd.h>
#include <time.h>

#define NS_PER_S 1000000000LL

static PyObject *create(PyObject *module, PyObject *args) {
    (void)module, (void)args;
    int descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return descriptor < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(descriptor);
}

static PyObject *set(PyObject *module, PyObject *args) {
    (void)module;
    int descriptor;
    long long due_ns;
    if (!PyArg_ParseTuple(args, "iL:set", &descriptor, &due_ns)) return NULL;
    if (due_ns < 1) due_ns = 1; /* 0 would stop the timer */
    struct itimerspec when = {.it_value = {due_ns / NS_PER_S, due_ns % NS_PER_S}};
    if (timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &when, NULL) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"create", create, METH_NOARGS, "See the stub, _alarm.pyi."},
    {"set", set, METH_VARARGS, "See the stub, _alarm.pyi."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_alarm",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__alarm(void) { return PyModuleDef_Init(&definition); }
