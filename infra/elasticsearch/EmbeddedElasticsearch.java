import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Starts one real Elasticsearch node from its published server jars.
 * Arguments: HOME, then node settings as key=value. Prints STARTED once HTTP is open; a normal signal, or the end of its input,
 * closes the node.
 * Reflection only, so that a JDK 17 can compile it while a newer runtime runs it.
 */
public class EmbeddedElasticsearch {
  private static Class<?> type(String name) throws ClassNotFoundException {
    return Class.forName("org.elasticsearch." + name);
  }

  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]).toAbsolutePath();
    Path config = home.resolve("config");
    System.setProperty("es.path.home", home.toString());
    System.setProperty("es.path.conf", config.toString());
    System.setProperty("es.distribution.type", "tar");
    type("common.logging.LogConfigurator").getMethod("configureESLogging").invoke(null);

    Class<?> settingsType = type("common.settings.Settings");
    Object builder = settingsType.getMethod("builder").invoke(null);
    Method put = builder.getClass().getMethod("put", String.class, String.class);
    put.invoke(builder, "path.home", home.toString());
    for (int i = 1; i < args.length; i++) {
      String[] setting = args[i].split("=", 2);
      put.invoke(builder, setting[0], setting[1]);
    }
    Object environment = type("node.InternalSettingsPreparer")
        .getMethod("prepareEnvironment", settingsType, Map.class, Path.class, Supplier.class)
        .invoke(null, builder.getClass().getMethod("build").invoke(builder), Map.of(), config, (Supplier<String>) () -> "dev");

    Class<?> loaderType = type("plugins.PluginsLoader");
    Object modules = loaderType.getMethod("loadModulesBundles", Path.class).invoke(null, home.resolve("modules"));
    Object plugins = loaderType.getMethod("loadPluginsBundles", Path.class).invoke(null, home.resolve("plugins"));
    Object loader = loaderType.getMethod("createPluginsLoader", Set.class, Set.class, Map.class).invoke(null, modules, plugins, Map.of());
    Object node = type("node.Node").getConstructor(type("env.Environment"), loaderType).newInstance(environment, loader);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        node.getClass().getMethod("close").invoke(node);
      } catch (ReflectiveOperationException e) {
        e.printStackTrace();
      }
    }));
    node.getClass().getMethod("start").invoke(node);
    System.out.println("STARTED");
    // whoever started us holds the other end of our input: when it is gone, so are we
    while (System.in.read() >= 0) {}
    System.exit(0);
  }
}
