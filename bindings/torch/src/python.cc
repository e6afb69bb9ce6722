/* SPDX-License-Identifier: MIT
 *
 * The module softlane.torch._C. Loading it registers the operators (autograd.cc). Its functions call them without the way
 * through torch.ops, which takes longer than a small loss: arguments by position, tensors of PyTorch's own types only.
 */
#include <torch/csrc/Exceptions.h>
#include <torch/csrc/autograd/python_variable.h>
#include <torch/csrc/utils/pybind.h>

#include <ATen/PythonTorchFunctionTLS.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "fits.h"
#include <algorithm>
#include <softlane.h>

namespace
{

using at::Tensor;
using softlane::optional_tensor;

/* ---- arguments ---- */

const Tensor &tensor_of(PyObject *object, const char *op, const char *argument)
{
    TORCH_CHECK_TYPE(THPVariable_Check(object), "softlane.", op, ": ", argument, " must be a Tensor, not ",
                     Py_TYPE(object)->tp_name);
    return THPVariable_Unpack(object);
}

optional_tensor optional_of(PyObject *object, const char *op, const char *argument)
{
    return object == Py_None ? std::nullopt : optional_tensor(tensor_of(object, op, argument));
}

int64_t integer_of(PyObject *object)
{
    const long long value = PyLong_AsLongLong(object);
    if (value == -1 && PyErr_Occurred())
        throw python_error();
    return value;
}

double number_of(PyObject *object)
{
    const double value = PyFloat_AsDouble(object);
    if (value == -1 && PyErr_Occurred())
        throw python_error();
    return value;
}

void check_count(Py_ssize_t given, Py_ssize_t wanted, const char *op)
{
    TORCH_CHECK_TYPE(given == wanted, "softlane.", op, " takes ", wanted, " arguments, not ", given);
}

template <class Signature> auto handle_of(const char *name)
{
    return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

/* The result of an operator, computed without the interpreter's lock. */
template <class Handle, class... Arguments>
PyObject *result_of(const Handle &handle, const Arguments &...arguments)
{
    Tensor result;
    {
        const pybind11::gil_scoped_release without_lock;
        result = handle.call(arguments...);
    }
    return THPVariable_Wrap(std::move(result));
}

/* ---- operators ---- */

using softmax_handle =
    c10::TypedOperatorHandle<Tensor(const Tensor &, int64_t, std::optional<at::ScalarType>)>;

PyObject *softmax_of(const softmax_handle &handle, const char *op, PyObject *const *a, Py_ssize_t n)
{
    check_count(n, 2, op);
    return result_of(handle, tensor_of(a[0], op, "input"), integer_of(a[1]), std::optional<at::ScalarType>());
}

/* input, dim */
PyObject *softmax(PyObject *, PyObject *const *a, Py_ssize_t n)
{
    HANDLE_TH_ERRORS
    static const softmax_handle handle =
        handle_of<Tensor(const Tensor &, int64_t, std::optional<at::ScalarType>)>("softlane::softmax");
    return softmax_of(handle, "softmax", a, n);
    END_HANDLE_TH_ERRORS
}

PyObject *log_softmax(PyObject *, PyObject *const *a, Py_ssize_t n)
{
    HANDLE_TH_ERRORS
    static const softmax_handle handle =
        handle_of<Tensor(const Tensor &, int64_t, std::optional<at::ScalarType>)>("softlane::log_softmax");
    return softmax_of(handle, "log_softmax", a, n);
    END_HANDLE_TH_ERRORS
}

/* input, target, weight, reduction, ignore_index, label_smoothing */
PyObject *cross_entropy(PyObject *, PyObject *const *a, Py_ssize_t n)
{
    HANDLE_TH_ERRORS
    constexpr const char *op = "cross_entropy";
    static const auto handle =
        handle_of<Tensor(const Tensor &, const Tensor &, const optional_tensor &, int64_t, int64_t, double)>(
            "softlane::cross_entropy");
    check_count(n, 6, op);
    return result_of(handle, tensor_of(a[0], op, "input"), tensor_of(a[1], op, "target"),
                     optional_of(a[2], op, "weight"), integer_of(a[3]), integer_of(a[4]), number_of(a[5]));
    END_HANDLE_TH_ERRORS
}

/* input, target, weight, pos_weight, reduction */
PyObject *bce_with_logits(PyObject *, PyObject *const *a, Py_ssize_t n)
{
    HANDLE_TH_ERRORS
    constexpr const char *op = "bce_with_logits";
    static const auto handle =
        handle_of<Tensor(const Tensor &, const Tensor &, const optional_tensor &, const optional_tensor &,
                         int64_t)>("softlane::bce_with_logits");
    check_count(n, 5, op);
    return result_of(handle, tensor_of(a[0], op, "input"), tensor_of(a[1], op, "target"),
                     optional_of(a[2], op, "weight"), optional_of(a[3], op, "pos_weight"), integer_of(a[4]));
    END_HANDLE_TH_ERRORS
}

/* ---- which calls they are for ---- */

/* None, or a tensor of PyTorch's own classes. */
bool is_own(PyObject *object) { return object == Py_None || THPVariable_CheckExact(object); }

bool are_own(PyObject *const *a, Py_ssize_t n)
{
    return !at::impl::torch_function_mode_enabled() && std::all_of(a, a + n, is_own);
}

/* Whether all arguments are None or plain tensors, and nobody overrides functions. */
PyObject *are_plain(PyObject *, PyObject *const *a, Py_ssize_t n)
{
    HANDLE_TH_ERRORS
    const auto plain = [](PyObject *object) {
        return object == Py_None || softlane::is_plain(THPVariable_Unpack(object));
    };
    return PyBool_FromLong(are_own(a, n) && std::all_of(a, a + n, plain));
    END_HANDLE_TH_ERRORS
}

/* As the operator of the same name has them; False also where they are no tensors at all. */
PyObject *fits_softmax(PyObject *, PyObject *const *a, Py_ssize_t n)
{
    HANDLE_TH_ERRORS
    check_count(n, 1, "softmax");
    return PyBool_FromLong(are_own(a, 1) && a[0] != Py_None &&
                           softlane::fits_softmax(THPVariable_Unpack(a[0])));
    END_HANDLE_TH_ERRORS
}

PyObject *fits_cross_entropy(PyObject *, PyObject *const *a, Py_ssize_t n)
{
    HANDLE_TH_ERRORS
    constexpr const char *op = "cross_entropy";
    check_count(n, 5, op);
    if (!are_own(a, 3) || a[0] == Py_None || a[1] == Py_None || !PyLong_Check(a[3]) || !PyFloat_Check(a[4]))
        Py_RETURN_FALSE;
    return PyBool_FromLong(softlane::fits_cross_entropy(THPVariable_Unpack(a[0]), THPVariable_Unpack(a[1]),
                                                        optional_of(a[2], op, "weight"), integer_of(a[3]),
                                                        number_of(a[4])));
    END_HANDLE_TH_ERRORS
}

PyObject *fits_bce_with_logits(PyObject *, PyObject *const *a, Py_ssize_t n)
{
    HANDLE_TH_ERRORS
    constexpr const char *op = "bce_with_logits";
    check_count(n, 4, op);
    if (!are_own(a, 4) || a[0] == Py_None || a[1] == Py_None)
        Py_RETURN_FALSE;
    return PyBool_FromLong(softlane::fits_bce_with_logits(THPVariable_Unpack(a[0]), THPVariable_Unpack(a[1]),
                                                          optional_of(a[2], op, "weight"),
                                                          optional_of(a[3], op, "pos_weight")));
    END_HANDLE_TH_ERRORS
}

/* ---- softlane ---- */

PyObject *isa(PyObject *, PyObject *) { return PyUnicode_FromString(sl_isa(nullptr)->isa); }

PyMethodDef methods[] = {
    {"softmax", (PyCFunction)(void (*)(void))softmax, METH_FASTCALL, nullptr},
    {"log_softmax", (PyCFunction)(void (*)(void))log_softmax, METH_FASTCALL, nullptr},
    {"cross_entropy", (PyCFunction)(void (*)(void))cross_entropy, METH_FASTCALL, nullptr},
    {"bce_with_logits", (PyCFunction)(void (*)(void))bce_with_logits, METH_FASTCALL, nullptr},
    {"are_plain", (PyCFunction)(void (*)(void))are_plain, METH_FASTCALL, nullptr},
    {"fits_softmax", (PyCFunction)(void (*)(void))fits_softmax, METH_FASTCALL, nullptr},
    {"fits_cross_entropy", (PyCFunction)(void (*)(void))fits_cross_entropy, METH_FASTCALL, nullptr},
    {"fits_bce_with_logits", (PyCFunction)(void (*)(void))fits_bce_with_logits, METH_FASTCALL, nullptr},
    {"isa", isa, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef module = {PyModuleDef_HEAD_INIT, "_C", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

} // namespace

PyMODINIT_FUNC PyInit__C(void)
{
    PyObject *m = PyModule_Create(&module);
    if (m && PyModule_AddStringConstant(m, "softlane_version", SOFTLANE_VERSION) < 0)
        Py_CLEAR(m);
    return m;
}
