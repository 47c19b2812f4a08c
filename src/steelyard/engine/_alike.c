/* Finds events of a chunked stream that repeat one another but for a text in the middle.
 *
 * Called from event_stream.py. Uses the stable interface of Python 3.11.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#define LEAD "data: "
#define LEAD_BYTES 6
#define MOST_DIGITS 7
#define MOST_EVENTS 512 /* so that a long run of which nothing is of use costs no long look */

typedef struct {
    const char *bytes;
    Py_ssize_t size;
} Span;

/* A chunk's size line as most servers write it: lower case, no zero in front, no extension. Returns
 * its length, 0 when `from` does not begin with one. */
static Py_ssize_t size_line(Span from, Py_ssize_t *size) {
    Py_ssize_t value = 0, at = 0;
    for (; at < from.size && at <= MOST_DIGITS; at++) {
        char digit = from.bytes[at];
        if (digit >= '0' && digit <= '9') value = value * 16 + (digit - '0');
        else if (digit >= 'a' && digit <= 'f') value = value * 16 + (digit - 'a' + 10);
        else break;
    }
    if (at == 0 || at > MOST_DIGITS || from.bytes[0] == '0') return 0;
    if (at + 2 > from.size || memcmp(from.bytes + at, "\r\n", 2)) return 0;
    *size = value;
    return at + 2;
}

/* The text of the event that `from` begins with, and how many bytes its chunk takes; 0 when it is
 * not `before`, a text, and `after`, all in one line. */
static Py_ssize_t event(Span from, Span before, Span after, Span *text) {
    Py_ssize_t size, line = size_line(from, &size);
    if (!line || size + 2 > from.size - line) return 0;
    const char *chunk = from.bytes + line;
    text->size = size - LEAD_BYTES - before.size - after.size - 2;
    if (text->size <= 0 || memcmp(chunk, LEAD, LEAD_BYTES)) return 0;
    if (memcmp(chunk + LEAD_BYTES, before.bytes, before.size)) return 0;
    text->bytes = chunk + LEAD_BYTES + before.size;
    const char *behind = text->bytes + text->size;
    if (memcmp(behind, after.bytes, after.size) || memcmp(behind + after.size, "\n\n\r\n", 4)) return 0;
    if (memchr(text->bytes, '\n', text->size) || memchr(text->bytes, '\r', text->size)) return 0;
    return line + size + 2;
}

static int append_new(PyObject *list, PyObject *item) {
    int failed = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return failed;
}

static PyObject *alike(PyObject *module, PyObject *args) {
    (void)module;
    Span raw, before, after, text;
    Py_ssize_t at;
    if (!PyArg_ParseTuple(args, "y#ny#y#:alike", &raw.bytes, &raw.size, &at, &before.bytes,
                          &before.size, &after.bytes, &after.size))
        return NULL;
    if (at < 0 || at > raw.size) {
        PyErr_SetString(PyExc_ValueError, "an offset outside of the bytes");
        return NULL;
    }
    PyObject *texts = PyList_New(0), *ends = PyList_New(0);
    int failed = !texts || !ends;
    for (int number = 0; number < MOST_EVENTS && !failed; number++) {
        Span rest = {raw.bytes + at, raw.size - at};
        Py_ssize_t size = event(rest, before, after, &text);
        if (!size) break;
        at += size;
        failed = append_new(texts, PyBytes_FromStringAndSize(text.bytes, text.size)) < 0 ||
                 append_new(ends, PyLong_FromSsize_t(at - 2)) < 0;
    }
    if (failed) {
        Py_XDECREF(texts);
        Py_XDECREF(ends);
        return NULL;
    }
    return Py_BuildValue("(NN)", texts, ends);
}

static PyMethodDef functions[] = {
    {"alike", alike, METH_VARARGS, "See the stub, _alike.pyi."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_alike",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__alike(void) { return PyModuleDef_Init(&definition); }
