// What does a Java sandbox do with its life?
//
// Started blank as `java Launcher FD`, it reads one INIT and then RUN frames (see ../sandbox/frames.py) and answers
// each. OpenWhisk's convention: the code is a jar, `main` names a class with `public static JsonObject main(JsonObject)`
// (`Class#method` for another name); arrays instead of objects work too. The platform believes nothing it says.

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;

public final class Launcher {
    private static final int HEADER_BYTES = 12;
    private static final int INIT = 1;
    private static final int READY = 18;
    private static final int RESULT = 19;
    private static final int FAILED = 20;
    private static final int FLAG_MEMORY = 1;
    private static final String INIT_FAILED = "Initialization has failed due to: ";
    private static final String NOT_AN_OBJECT = "The action did not return a dictionary or array.";
    private static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

    private final DataInputStream in;
    private final OutputStream out;
    private Method action;

    private Launcher(FileDescriptor stream) {
        in = new DataInputStream(new FileInputStream(stream));
        out = new FileOutputStream(stream);
    }

    public static void main(String[] arguments) throws Exception {
        FileDescriptor stream = new FileDescriptor();
        Field number = FileDescriptor.class.getDeclaredField("fd");
        number.setAccessible(true); // an inherited socket cannot be opened by any name
        number.setInt(stream, Integer.parseInt(arguments[0]));
        try {
            new Launcher(stream).serve();
        } catch (EOFException hungUp) {
            Runtime.getRuntime().halt(0);
        }
        Runtime.getRuntime().halt(1);
    }

    private void serve() throws IOException {
        while (true) {
            byte[] header = new byte[HEADER_BYTES];
            in.readFully(header);
            ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
            byte[] body = new byte[fields.getInt(0)];
            in.readFully(body);
            answer(fields.getInt(4), fields.get(8), body);
        }
    }

    private void answer(int job, byte kind, byte[] body) throws IOException {
        try {
            JsonObject message = JsonParser.parseString(new String(body, StandardCharsets.UTF_8)).getAsJsonObject();
            if (kind == INIT) {
                init(job, message);
            } else {
                run(job, message);
            }
        } catch (OutOfMemoryError error) {
            send(job, FAILED, "{}", FLAG_MEMORY);
        }
    }

    private void init(int job, JsonObject message) throws IOException {
        try {
            setEnvironment(message.getAsJsonObject("env"), "");
            action = load(text(message, "code"), text(message, "main"));
            send(job, READY, "", 0);
        } catch (InitFailure failure) {
            send(job, FAILED, error(failure.getMessage()), 0);
        } catch (OutOfMemoryError error) {
            throw error;
        } catch (Throwable error) {
            error.printStackTrace();
            send(job, FAILED, error(INIT_FAILED + error), 0);
        }
    }

    private void run(int job, JsonObject message) throws IOException {
        JsonElement result;
        try {
            setEnvironment(message.getAsJsonObject("context"), "__OW_");
            JsonElement value = message.get("value");
            result = (JsonElement) action.invoke(null, value);
        } catch (InvocationTargetException wrapper) {
            Throwable cause = wrapper.getCause();
            if (cause instanceof OutOfMemoryError) {
                throw (OutOfMemoryError) cause;
            }
            cause.printStackTrace();
            send(job, FAILED, error("An error has occurred while invoking the action (see logs for details): " + cause), 0);
            return;
        } catch (ReflectiveOperationException | IllegalArgumentException error) {
            send(job, FAILED, error(error.toString()), 0);
            return;
        }
        if (result == null || !(result.isJsonObject() || result.isJsonArray())) {
            send(job, FAILED, error(NOT_AN_OBJECT), 0);
            return;
        }
        send(job, RESULT, GSON.toJson(result), 0);
    }

    private static Method load(String code, String entry) throws Exception {
        if (code.isEmpty() || entry.isEmpty()) {
            throw new InitFailure("Missing main/no code to execute.");
        }
        Path jar = new File("action.jar").getAbsoluteFile().toPath();
        try {
            Files.write(jar, Base64.getDecoder().decode(code));
        } catch (IllegalArgumentException error) {
            throw new InitFailure(INIT_FAILED + "the code is no base64 of a jar");
        }
        String[] parts = entry.split("#", 2);
        String name = parts.length == 2 && !parts[1].isEmpty() ? parts[1] : "main";
        URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, Launcher.class.getClassLoader());
        Thread.currentThread().setContextClassLoader(loader);
        Class<?> main = loader.loadClass(parts[0]);
        for (Class<?> type : new Class<?>[] {JsonObject.class, JsonArray.class}) {
            try {
                Method found = main.getMethod(name, type);
                if (Modifier.isStatic(found.getModifiers()) && JsonElement.class.isAssignableFrom(found.getReturnType())) {
                    found.setAccessible(true);
                    return found;
                }
            } catch (NoSuchMethodException next) {
                continue;
            }
        }
        throw new NoSuchMethodException(parts[0] + " has no public static JsonObject " + name + "(JsonObject)");
    }

    /** Java keeps a copy of its environment; actions look for theirs in it. */
    @SuppressWarnings("unchecked")
    private static void setEnvironment(JsonObject variables, String prefix) throws ReflectiveOperationException {
        Map<String, String> environment = System.getenv();
        Field inner = environment.getClass().getDeclaredField("m");
        inner.setAccessible(true);
        Map<String, String> writable = (Map<String, String>) inner.get(environment);
        for (Map.Entry<String, JsonElement> each : variables.entrySet()) {
            String name = prefix.isEmpty() ? each.getKey() : prefix + each.getKey().toUpperCase();
            writable.put(name, each.getValue().getAsString());
        }
    }

    private void send(int job, int kind, String text, int flags) throws IOException {
        System.out.flush();
        System.err.flush();
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        ByteBuffer frame = ByteBuffer.allocate(HEADER_BYTES + body.length).order(ByteOrder.LITTLE_ENDIAN);
        frame.putInt(body.length).putInt(job).put((byte) kind).put((byte) flags).putShort((short) 0).put(body);
        out.write(frame.array());
    }

    private static String error(String text) {
        JsonObject object = new JsonObject();
        object.addProperty("error", text);
        return GSON.toJson(object);
    }

    private static String text(JsonObject message, String key) {
        JsonElement value = message.get(key);
        return value == null || value.isJsonNull() ? "" : value.getAsString();
    }

    private static final class InitFailure extends Exception {
        private static final long serialVersionUID = 1;

        InitFailure(String message) {
            super(message);
        }
    }
}
